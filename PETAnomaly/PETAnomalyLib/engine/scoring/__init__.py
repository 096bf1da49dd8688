"""How unlikely each voxel is, given the reconstructions: residual, Z-score, KDE.

May use: phantom, runtime.
"""
