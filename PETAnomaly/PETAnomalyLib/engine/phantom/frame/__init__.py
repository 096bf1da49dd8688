"""The body's frame: skin, fat, muscle, cavities, limbs and bones."""
