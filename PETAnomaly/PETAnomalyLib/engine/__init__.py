"""The engine: from a PET/CT study to findings. Never imports slicer, qt or ctk.

Fourteen rooms, each on the floors below it; `detection.py` is the way of a study through them.
"""

from PETAnomalyLib import import_path  # noqa: F401, I001 - takes the current folder off the path
from PETAnomalyLib import early_interrupt  # noqa: F401 - only after that: it imports
