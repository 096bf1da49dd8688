"""Synthetic brain MR with known lesions: one head a seed, built on the files of nilearn.

`generate_brain` makes one head in memory, `write_brain_cohort` many in a cohort folder.
May use: runtime, and the phantom's streams of random numbers.
"""
