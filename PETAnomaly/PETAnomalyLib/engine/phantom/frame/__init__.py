"""The body's frame: skin, fat, muscle, cavities, limbs and bones.

May use: canvas, patient, and of head the space of the brain, round which the skull is.
"""
