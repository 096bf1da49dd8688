"""Models judged where the lesions are known: metrics, lesions, FROC, comparisons, tables, figures.

May use: benchmark, detection, families, training, bundles, frame, figures, study, findings,
scoring, phantom, runtime.
"""
