"""A family that exists in the tests alone: a study blurred by a learnt kernel, and jittered.

It gives as many reconstructions as are asked for, so every scorer. Nothing of the program names it:
what it can do, it can by its folder, as any family could.
"""
