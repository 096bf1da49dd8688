"""The vector-quantised autoencoder of slices: one reconstruction, so the residual map alone."""
