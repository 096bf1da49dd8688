"""Cancers: where each begins, where it spreads to, how many lesions, how hot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.mass import (
    BONE,
    LIVER,
    LUNG,
    NODE,
    SOFT_TISSUE,
    SOFT_TISSUES,
    Site,
)
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.build import Build

ADRENAL = Site("adrenal", (10, 20, 50), (Organ.ADRENAL,), (Organ.ADRENAL, Organ.VISCERAL_FAT), 0.7)
SPLEEN = Site("spleen", (10, 22, 60), (Organ.SPLEEN,), (Organ.SPLEEN,), 0.85)
PLEURA = Site("pleura", (18, 40, 110), (Organ.LUNG, Organ.EFFUSION),
              (Organ.LUNG, Organ.EFFUSION, Organ.ATELECTASIS, *SOFT_TISSUES), 0.7,
              flat=True)  # fmt: skip
OMENTUM = Site("peritoneum", (16, 36, 100), (Organ.VISCERAL_FAT,),
               (*SOFT_TISSUES, Organ.ASCITES, Organ.SMALL_BOWEL, Organ.COLON), 0.75,
               flat=True)  # fmt: skip
IMPLANT = Site("peritoneum", (9, 16, 40), (Organ.VISCERAL_FAT, Organ.ASCITES),
               (*SOFT_TISSUES, Organ.ASCITES, Organ.SMALL_BOWEL, Organ.COLON), 0.75)  # fmt: skip


def _primary(name: str, *organs: Organ, median_mm: float = 34, share: float = 0.8) -> Site:
    size = (14.0, median_mm, 90.0)
    return Site(f"primary: {name}", size, organs, (*organs, *SOFT_TISSUES), share)


LUNG_CANCER = Site("lung", (14, 34, 90), LUNG.begins, LUNG.within, 0.6)
SARCOMA = Site("soft tissue", (30, 65, 120), SOFT_TISSUE.begins, SOFT_TISSUES, 0.8)
BULK = Site("node", (15, 32, 90), (), (*NODE.within, Organ.SMALL_BOWEL, Organ.LUNG), 0.75)
COLON = _primary("colon", Organ.COLON)
STOMACH = _primary("stomach", Organ.STOMACH)
OESOPHAGUS = _primary("oesophagus", Organ.OESOPHAGUS, median_mm=28, share=0.7)
PANCREAS = _primary("pancreas", Organ.PANCREAS, median_mm=30)
BREAST = _primary("breast", Organ.BREAST, median_mm=22)
UTERUS = _primary("uterus", Organ.UTERUS, median_mm=40)
OVARY = _primary("ovary", Organ.OVARY, median_mm=50)
PROSTATE = _primary("prostate", Organ.PROSTATE, median_mm=20)
THYROID = _primary("thyroid", Organ.THYROID, median_mm=20, share=0.7)
THROAT = _primary("head and neck", Organ.TONSIL, Organ.TONGUE, Organ.FLOOR_OF_MOUTH,
                  Organ.VOCAL_CORDS, median_mm=26, share=0.7)  # fmt: skip


@dataclass(frozen=True)
class Disease:
    """A cancer.

    Attributes:
        name: of it.
        share: how often it is drawn.
        primary: where it begins, None for nowhere in sight.
        spread: weight of each site of its metastases.
        regions: of its nodes.
        suv: median of its lesions.
        mean_number: of lesions.
        sex: "F" or "M" of those that only one sex has.
    """

    name: str
    share: float
    primary: Site | None
    spread: Mapping[Site, float]
    regions: tuple[str, ...] = field(default=())
    suv: float = 7.0
    mean_number: float = 5.0
    sex: str = ""


ANYWHERE = {NODE: 0.36, LUNG: 0.17, LIVER: 0.12, BONE: 0.18, SOFT_TISSUE: 0.11, ADRENAL: 0.04,
            PLEURA: 0.01, IMPLANT: 0.01}  # fmt: skip
DISEASES = (
    Disease("lung cancer", 0.2, LUNG_CANCER,
            {NODE: 0.5, LUNG: 0.13, BONE: 0.16, LIVER: 0.08, ADRENAL: 0.08, PLEURA: 0.05},
            ("chest", "chest", "neck"), 8.5),
    Disease("lymphoma", 0.17, BULK,
            {NODE: 0.72, BULK: 0.08, SPLEEN: 0.06, BONE: 0.08, SOFT_TISSUE: 0.03, LIVER: 0.03},
            (), 8.0, 7.0),
    Disease("colorectal cancer", 0.11, COLON,
            {LIVER: 0.4, LUNG: 0.2, NODE: 0.22, IMPLANT: 0.1, OMENTUM: 0.03, BONE: 0.05},
            ("belly", "pelvis"), 7.5),
    Disease("breast cancer", 0.1, BREAST,
            {NODE: 0.4, BONE: 0.38, LIVER: 0.1, LUNG: 0.08, PLEURA: 0.04},
            ("axilla", "axilla", "neck", "chest"), 6.5, 6.0, "F"),
    Disease("head and neck cancer", 0.1, THROAT, {NODE: 0.8, LUNG: 0.14, BONE: 0.06},
            ("neck",), 8.5, 3.0),
    Disease("melanoma", 0.1, None,
            {SOFT_TISSUE: 0.28, NODE: 0.25, LUNG: 0.15, LIVER: 0.12, BONE: 0.1, ADRENAL: 0.05,
             IMPLANT: 0.05}, (), 8.0, 6.0),
    Disease("oesophageal cancer", 0.05, OESOPHAGUS, {NODE: 0.6, LIVER: 0.2, LUNG: 0.1, BONE: 0.1},
            ("chest", "belly", "neck"), 8.0, 4.0),
    Disease("gastric cancer", 0.03, STOMACH,
            {NODE: 0.4, LIVER: 0.3, IMPLANT: 0.2, OMENTUM: 0.1}, ("belly",), 6.0, 4.0),
    Disease("pancreatic cancer", 0.03, PANCREAS, {LIVER: 0.5, NODE: 0.25, IMPLANT: 0.15, LUNG: 0.1},
            ("belly",), 5.5, 4.0),
    Disease("cancer of the womb", 0.04, UTERUS,
            {NODE: 0.65, LUNG: 0.12, IMPLANT: 0.12, BONE: 0.11}, ("pelvis", "belly"), 9.0, 4.0,
            "F"),
    Disease("ovarian cancer", 0.03, OVARY, {IMPLANT: 0.5, OMENTUM: 0.15, NODE: 0.25, LIVER: 0.1},
            ("belly", "pelvis"), 7.0, 6.0, "F"),
    Disease("prostate cancer", 0.02, PROSTATE, {BONE: 0.6, NODE: 0.4}, ("pelvis", "belly"), 4.5,
            6.0, "M"),
    Disease("thyroid cancer", 0.02, THYROID, {NODE: 0.6, LUNG: 0.3, BONE: 0.1}, ("neck", "chest"),
            7.0, 5.0),
    Disease("sarcoma", 0.05, SARCOMA, {LUNG: 0.5, SOFT_TISSUE: 0.25, BONE: 0.25}, (), 7.0, 3.5),
    Disease("mesothelioma", 0.01, PLEURA, {PLEURA: 0.7, NODE: 0.3}, ("chest",), 7.0, 5.0),
    Disease("myeloma", 0.04, None, {BONE: 0.92, SOFT_TISSUE: 0.08}, (), 5.5, 7.0),
    Disease("cancer of unknown primary", 0.1, None, ANYWHERE, (), 6.8, 4.2),
)  # fmt: skip


def draw_disease(rng: Generator, build: Build) -> Disease:
    """The cancer of a patient."""
    shares = np.array([one.share * (one.sex in ("", build.sex)) for one in DISEASES])
    return DISEASES[int(rng.choice(len(DISEASES), p=shares / shares.sum()))]
