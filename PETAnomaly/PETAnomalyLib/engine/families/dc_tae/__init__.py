"""Transformer round a dense autoencoder, of slices: one reconstruction, so the residual alone."""
