"""The dense autoencoder: one reconstruction, so the residual map alone."""
