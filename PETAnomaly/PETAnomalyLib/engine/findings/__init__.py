"""From a map to findings: delineation, growing, measures, the segmentation file.

No torch: the panel redraws findings inside Slicer when the threshold moves. May use: scoring,
phantom, runtime.
"""
