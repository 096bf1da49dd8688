"""The vector-quantised autoencoder of paper 3, of slices: one, so the residual map alone."""
