"""The masked autoencoder of slices: every place from what lies round it; the residual alone."""
