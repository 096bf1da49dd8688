"""DICOM series as volumes, and all that SUV by body weight needs.

May use: the rest of `study` below `study.py`, and what that may use.
"""
