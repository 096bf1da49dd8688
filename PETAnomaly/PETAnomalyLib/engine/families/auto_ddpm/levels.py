"""How many levels of noise there are, for the registry too. No torch."""

LEVELS = 1000
"""Of noise, in the schedule of Ho et al."""
