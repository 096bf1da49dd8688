"""What a patient is painted on: the grid, shapes, random numbers.

May use: NumPy and SciPy alone.
"""
