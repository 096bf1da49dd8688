"""What a scanner makes of a painted patient: PET and CT on its own voxels.

May use: canvas, patient, frame.
"""
