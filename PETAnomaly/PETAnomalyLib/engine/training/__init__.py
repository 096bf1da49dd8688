"""What every training stage shares: run, checkpoint, processes, cohort, augmentation, curves.

The stages themselves belong to the families, which enter them into `bundles/kinds.py`. May use:
bundles, frame, figures, study, findings, scoring, phantom, runtime.
"""
