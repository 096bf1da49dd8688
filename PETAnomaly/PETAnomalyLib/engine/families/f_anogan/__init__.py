"""f-AnoGAN of slices: a generator, and an encoder that finds codes for it: the residual alone."""
