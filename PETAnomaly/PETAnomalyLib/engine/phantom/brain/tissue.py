"""What heads are made of, and what of it shows on which sequence.

Relaxation at 3 T; at 1.5 T all T1 but that of water and fat are 0.77 times as long (T1 grows with
the field to the power 0.376: Rooney et al. 2007, Magn Reson Med 57:308).

- grey and white matter: Wansapura et al. 1999, J Magn Reson Imaging 9:531;
- muscle and blood: Stanisz et al. 2005, Magn Reson Med 54:507;
- fat, marrow: de Bazelaire et al. 2004, Radiology 230:652; the T2 of fat is longer, as trains of
  echoes see it;
- water content relative to CSF, of grey 0.82 and white matter 0.70: as in quantitative maps (e.g.
  Neeb et al. 2006, NeuroImage 31:1156);
- lesions: longer T1 and T2 than the tissue they lie in, by as much as makes them look on the three
  contrasts as they do in patients (MS: Filippi et al. 2016, Lancet Neurol 15:292; small vessel
  disease: Wardlaw et al. 2013, Lancet Neurol 12:822; glioma: Ellingson et al. 2015, Neuro-Oncology
  17:1188; infarcts: Allen et al. 2012, RadioGraphics 32:1285). Chosen, not measured.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tissue:
    """Relaxation at 3 T.

    Attributes:
        t1_ms, t2_ms: relaxation times.
        water: what there is to see, of CSF's.
        free: whether the T1 is that of water or fat at any field.
        takes_up_agent: T1 with gadolinium, ms; None where there is a blood-brain barrier.
    """

    t1_ms: float
    t2_ms: float
    water: float
    free: bool = False
    t1_with_agent_ms: float | None = None


CSF = Tissue(4000, 1500, 1.0, free=True)
GREY = Tissue(1331, 110, 0.82)
WHITE = Tissue(832, 79.6, 0.70)
IRON = Tissue(950, 58, 0.74)
"""Pallidum, red nucleus, substantia nigra, dentate nucleus."""
BONE = Tissue(400, 1.0, 0.05)
MARROW = Tissue(480, 60, 0.55, free=True)
FAT = Tissue(382, 95, 0.65, free=True)
MUSCLE = Tissue(1412, 50, 0.78, t1_with_agent_ms=1000)
VITREOUS = Tissue(3800, 1200, 1.0, free=True)
FLOW = Tissue(1932, 1.0, 0.35, t1_with_agent_ms=300)
"""Blood that has left the slice before it is read out."""
MUCOSA = Tissue(1500, 110, 0.85, t1_with_agent_ms=450)

OEDEMA = Tissue(1450, 170, 0.86)
ENHANCING = Tissue(1350, 125, 0.84, t1_with_agent_ms=420)
NECROSIS = Tissue(2500, 300, 0.94)
GLIOMA = Tissue(1700, 190, 0.88)
"""Of low grade: no necrosis, an intact barrier."""
PLAQUE = Tissue(1300, 150, 0.83)
BLACK_HOLE = Tissue(1900, 200, 0.90)
HYPERINTENSITY = Tissue(1200, 128, 0.80)
ACUTE_INFARCT = Tissue(1550, 210, 0.87)
CAVITY = Tissue(3700, 1200, 0.99, free=True)
GLIOSIS = Tissue(1500, 165, 0.86)
