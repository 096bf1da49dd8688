"""The variational autoencoder of slices: as many reconstructions as are asked for, every scorer."""
