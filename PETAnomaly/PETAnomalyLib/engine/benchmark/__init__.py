"""How fast this machine is: seconds, memory, and the ratio to other ways of doing the same.

May use: detection, families, training, bundles, frame, figures, study, findings, scoring, phantom,
runtime.
"""
