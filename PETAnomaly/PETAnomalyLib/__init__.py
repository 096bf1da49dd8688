"""PETAnomaly: the engine finds anomalies in PET/CT, the panel shows them in 3D Slicer."""

__version__ = "0.1.0"
