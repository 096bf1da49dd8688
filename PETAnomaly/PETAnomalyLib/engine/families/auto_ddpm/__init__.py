"""AutoDDPM of slices: mask, stitch, resample by a diffusion model; the residual alone."""
