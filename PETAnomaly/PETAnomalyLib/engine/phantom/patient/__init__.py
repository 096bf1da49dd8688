"""Who the patient is, before anything is painted: build, conditions, uptake, pose, ranges.

May use: canvas.
"""
