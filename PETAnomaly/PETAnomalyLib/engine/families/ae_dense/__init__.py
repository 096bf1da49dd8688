"""The dense autoencoder of slices: one reconstruction, so the residual map alone."""
