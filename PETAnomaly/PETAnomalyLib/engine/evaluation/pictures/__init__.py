"""Models of pictures judged as paper 5's appendix judges them: by pixel and by region.

May use: what `evaluation` may use, and its files.
"""
