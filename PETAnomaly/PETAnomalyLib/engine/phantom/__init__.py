"""Synthetic whole-body FDG-PET/CT with known lesions: one patient a seed (NumPy, SciPy, SimpleITK).

`generate` makes one study in memory, `write_cohort` many in the autoPET folder layout.
May use: runtime.
"""

from PETAnomalyLib.engine.phantom.cohort import write_cohort
from PETAnomalyLib.engine.phantom.study import PhantomStudy, generate

__all__ = ["PhantomStudy", "generate", "write_cohort"]
