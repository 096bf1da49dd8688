"""Between a study's grid and the model's frame: alignment, intensities, the model's input.

May use: figures, study, findings, scoring, phantom, runtime.
"""
