"""Pretrained models on disk: the manifest, the registry of families, verification, archives.

A bundle is data: nothing in it is evaluated or imported. No torch: the panel reads bundles inside
Slicer. May use: frame, figures, study, findings, scoring, phantom, runtime.
"""
