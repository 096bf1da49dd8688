"""Many studies with one model: which they are, what of them is done, their tables and their page.

May use: detection, families, bundles, study, findings, runtime.
"""
