"""Basic transformer autoencoder, of slices: one reconstruction, so the residual alone."""
