"""The vector-quantised GAN of paper 3, of slices: one reconstruction, so the residual map alone."""
