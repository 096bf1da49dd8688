"""The kinds of disease of the brain phantom, one a head."""

from __future__ import annotations

from dataclasses import replace

from PETAnomalyLib.engine.phantom.brain.hyperintensities import draw_hyperintensities
from PETAnomalyLib.engine.phantom.brain.lesion import Disease
from PETAnomalyLib.engine.phantom.brain.mass import draw_mass
from PETAnomalyLib.engine.phantom.brain.plaques import draw_plaques
from PETAnomalyLib.engine.phantom.brain.strokes import draw_stroke
from PETAnomalyLib.engine.phantom.brain.subject import Subject

DISEASES = ("mass", "plaques", "hyperintensities", "stroke")


def draw_disease(subject: Subject, kind: str | None) -> Disease:
    """What the subject has; of a kind, or of the seed's own where that is None."""
    if kind is None:
        kind = str(subject.stream("kind of disease").choice(DISEASES))
    rng = subject.stream(f"disease {kind}")
    if kind == "mass":
        disease = draw_mass(rng, subject.age)
    elif kind == "plaques":
        disease = draw_plaques(rng)
    elif kind == "hyperintensities":
        disease = draw_hyperintensities(rng, subject.age)
    else:
        disease = draw_stroke(rng)
    return replace(disease, facts={"kind": kind, **disease.facts})
