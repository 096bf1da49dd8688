"""From trained runs to a model that can be given away: calibration and export.

May use: evaluation, benchmark, detection, families, training, bundles, frame, figures, study,
findings, scoring, phantom, runtime.
"""
