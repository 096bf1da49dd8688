"""The signal of a tissue on T1w, T2w and FLAIR: closed forms, parameters drawn by seed.

- T1w: spoiled gradient echo, w sin(a) (1 - E1) / (1 - cos(a) E1), E1 = exp(-TR/T1)
  (Ernst and Anderson 1966); T1c the same with gadolinium.
- T2w: spin echo, w (1 - exp(-TR/T1)) exp(-TE/T2).
- FLAIR: inversion recovery spin echo, w |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2), TI near
  the null of CSF (Hajnal et al. 1992, J Comput Assist Tomogr 16:841).

with w the water content (e.g. Bernstein, King and Zhou 2004, Handbook of MRI Pulse Sequences).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.random import Generator

from PETAnomalyLib.engine.phantom.brain import tissue
from PETAnomalyLib.engine.phantom.brain.tissue import Tissue

CONTRASTS = ("T1w", "T2w", "FLAIR", "T1c")
"""T1c is T1w with contrast agent."""
ALWAYS = CONTRASTS[:3]
_LOWER_FIELD_T1 = 0.77


@dataclass(frozen=True)
class Protocol:
    """How a head is scanned; times in ms."""

    field_tesla: float
    t1w_tr: float
    t1w_flip_deg: float
    t2w_tr: float
    t2w_te: float
    flair_tr: float
    flair_ti: float
    flair_te: float

    def signal(self, contrast: str, of: Tissue) -> float:
        """Of a voxel full of a tissue, between 0 and 1."""
        t1, t2 = self._t1(of, contrast == "T1c"), of.t2_ms
        if contrast in ("T1w", "T1c"):
            flip = math.radians(self.t1w_flip_deg)
            e1 = math.exp(-self.t1w_tr / t1)
            seen = math.sin(flip) * (1 - e1) / (1 - math.cos(flip) * e1)
            return of.water * seen * math.exp(-3.0 / t2)  # an echo time of 3 ms
        if contrast == "T2w":
            recovered = 1 - math.exp(-self.t2w_tr / t1)
            return of.water * recovered * math.exp(-self.t2w_te / t2)
        recovered = 1 - 2 * math.exp(-self.flair_ti / t1) + math.exp(-self.flair_tr / t1)
        return of.water * abs(recovered) * math.exp(-self.flair_te / t2)

    def _t1(self, of: Tissue, agent: bool) -> float:
        if agent and of.t1_with_agent_ms is not None:
            return of.t1_with_agent_ms
        return of.t1_ms if of.free or self.field_tesla > 2 else _LOWER_FIELD_T1 * of.t1_ms


def draw_protocol(rng: Generator) -> Protocol:
    """One scanner's protocol, within what is usual for adults."""
    field = 3.0 if rng.random() < 0.65 else 1.5
    flair_tr = float(rng.uniform(8500, 10500))
    csf = tissue.CSF.t1_ms
    null = csf * math.log(2 / (1 + math.exp(-flair_tr / csf)))
    return Protocol(
        field_tesla=field,
        t1w_tr=float(rng.uniform(8, 12)),
        t1w_flip_deg=float(rng.uniform(15, 20) * (1 if field > 2 else 1.15)),
        t2w_tr=float(rng.uniform(4000, 6000)),
        t2w_te=float(rng.uniform(85, 110)),
        flair_tr=flair_tr,
        flair_ti=float(null * rng.uniform(0.97, 1.02)),
        flair_te=float(rng.uniform(90, 125)),
    )
