"""Models of brain MR judged as papers 2 to 4 judge theirs: by pixel, slice and sample.

May use: what `evaluation` may use, and its files.
"""
