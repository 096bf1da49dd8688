"""Results as DICOM: a segmentation (SEG) and a measurement report (SR) of one study's findings.

highdicom builds both (extra `dicom`). No torch. May use: study, findings, scoring, phantom,
runtime.
"""
