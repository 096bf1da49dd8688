"""Hierarchical transformer with skip connections, of slices: one, so the residual alone."""
