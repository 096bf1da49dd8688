"""Transformer round a spatial autoencoder, of slices: one reconstruction, so the residual alone."""
