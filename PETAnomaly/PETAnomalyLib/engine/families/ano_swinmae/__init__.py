"""Ano-swinMAE: slices filled in under a mask that moves over them; the residual alone."""
