"""A study from disk: images, DICOM, validation, cohorts, lesion masks. No torch.

May use: findings, scoring, phantom, runtime.
"""
