"""VQ-GAN tokens and a Performer's likelihoods (paper 1): N x K reconstructions, so every scorer."""
