"""Where cohorts of brain MR keep their studies: public collections as they come, and our phantoms.

A folder is searched for names that these have, however deep:

- brain phantoms: `<patient>/<study>/{T1w,T2w,FLAIR,T1c,SEG,MASK}.nii.gz`;
- BraTS (Bakas et al. 2017, Sci Data 4:170117): `BraTS20_Training_001_flair.nii.gz`, `_t1`, `_t1ce`,
  `_t2`, `_seg`; since 2023 `BraTS-GLI-00000-000-t2f.nii.gz`, `-t1n`, `-t1c`, `-t2w`, `-seg`;
- MSLUB (Lesjak et al. 2018, Neuroinformatics 16:51): `patient01/FLAIR.nii.gz`, `T1W`, `T2W`,
  `T1WKS` (with contrast agent), `consensus_gt`, `brainmask`, each also with `patient01_` before it;
- WMH challenge (Kuijf et al. 2019, IEEE TMI 38:2556; doi:10.34894/AECRSD):
  `Utrecht/0/{pre,orig}/{FLAIR,T1}.nii.gz` and `Utrecht/0/wmh.nii.gz`, where 1 is a hyperintensity
  and 2 other pathology, which counts as none;
- ATLAS (Liew et al. 2018 and 2022, Sci Data 5:180011 and 9:320): R1.2 `031768/t01/` with
  `*_t1w_deface_stx` and `*_LesionSmooth*_stx`, 2.0 `sub-r001s001_ses-1_*_T1w` and
  `*_desc-T1lesion_mask`;
- IXI (brain-development.org): `IXI002-Guys-0828-T1.nii.gz`, `-T2`; nobody with a lesion;
- OASIS-3 and other BIDS: `sub-*_ses-*_T1w.nii.gz`, `_T2w`, `_FLAIR`; OASIS-1 and -2 converted to
  NIfTI: `OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc.nii.gz`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.input_path import shown

LAYOUTS = "brain phantoms, BraTS, MSLUB, WMH, ATLAS, IXI, OASIS, BIDS"
DEEPEST = 7
LESIONS, MASK = "lesions", "mask"

_NIFTI = r"\.nii(?:\.gz)?"
_BIDS = r"(?P<patient>sub-[A-Za-z0-9]+)(?:_(?P<study>ses-[A-Za-z0-9]+))?"
_PAIRS = r"(?:_[A-Za-z0-9]+-[A-Za-z0-9]+)*"
_SECOND_CHOICE = {"orig", "derivatives"}
"""Folders whose files count where there are no others."""


@dataclass(frozen=True)
class _Names:
    """Names of the files of a layout; `what` in them says what a file is."""

    layout: str
    pattern: re.Pattern[str]
    roles: dict[str, str]
    lesion_values: tuple[int, ...] = ()


def _names(
    layout: str, pattern: str, roles: dict[str, str], lesion_values: tuple[int, ...] = ()
) -> _Names:
    whole = re.compile(pattern + _NIFTI, re.IGNORECASE)
    return _Names(layout, whole, {k.lower(): v for k, v in roles.items()}, lesion_values)


_OLD_BRATS = {"t1": "T1w", "t1ce": "T1c", "t2": "T2w", "flair": "FLAIR", "seg": LESIONS}
_BRATS = {"t1n": "T1w", "t1c": "T1c", "t2w": "T2w", "t2f": "FLAIR", "seg": LESIONS}
_MSLUB = {"T1W": "T1w", "T2W": "T2w", "FLAIR": "FLAIR", "T1WKS": "T1c", "consensus_gt": LESIONS,
          "brainmask": MASK}  # fmt: skip
_OURS = {"T1w": "T1w", "T2w": "T2w", "FLAIR": "FLAIR", "T1c": "T1c", "SEG": LESIONS, "MASK": MASK}
_ATLAS_1 = r"(?P<patient>\d{6})/(?P<study>t\d\d)/\d{6}_"
_LAYOUTS = (
    _names("BraTS", r"(?:.*/)?(?P<patient>BraTS-[A-Za-z]+-\d+)-(?P<study>\d{3})-"
           r"(?P<what>t1n|t1c|t2w|t2f|seg)", _BRATS),
    _names("BraTS", r"(?:.*/)?(?P<patient>BraTS[^/]*?)_(?P<what>t1ce|t1|t2|flair|seg)", _OLD_BRATS),
    _names("MSLUB", r"(?:.*/)?(?P<patient>patient\d+)/(?:patient\d+_)?"
           r"(?P<what>FLAIR|T1WKS|T1W|T2W|consensus_gt|brainmask)", _MSLUB),
    _names("WMH", r"(?P<patient>.+)/(?:pre|orig)/(?P<what>FLAIR|T1)",
           {"FLAIR": "FLAIR", "T1": "T1w"}, (1,)),
    _names("WMH", r"(?P<patient>.+)/(?P<what>wmh)", {"wmh": LESIONS}, (1,)),
    _names("ATLAS", r"(?:.*/)?" + _ATLAS_1 + r"(?P<what>t1w)_deface_stx",
           {"t1w": "T1w"}),
    _names("ATLAS", r"(?:.*/)?" + _ATLAS_1
           + r"(?P<what>LesionSmooth)(?:_\d+)?_stx", {"LesionSmooth": LESIONS}),
    _names("IXI", r"(?:.*/)?(?P<patient>IXI\d+)-(?:Guys|HH|IOP)-\d+-(?P<what>T1|T2)",
           {"T1": "T1w", "T2": "T2w"}),
    _names("OASIS", r"(?:.*/)?(?P<patient>OAS[12]_\d+)_(?P<study>MR\d+)_(?P<what>mpr)_[^/]*",
           {"mpr": "T1w"}),
    _names("BIDS", r"(?:.*/)?" + _BIDS + _PAIRS
           + r"_desc-T1(?P<what>lesion)_mask", {"lesion": LESIONS}),
    _names("BIDS", r"(?:.*/)?" + _BIDS + _PAIRS
           + r"_(?P<what>T1w|T2w|FLAIR)", {"T1w": "T1w", "T2w": "T2w", "FLAIR": "FLAIR"}),
    _names("brain phantoms", r"(?:.*/)?(?P<patient>[^/]+)/(?P<study>[^/]+)/"
           r"(?P<what>T1w|T2w|FLAIR|T1c|SEG|MASK)", _OURS),
)  # fmt: skip
"""The first whose pattern is the whole of a path below the cohort."""


@dataclass(frozen=True)
class BrainStudy:
    """One study of a cohort of brain MR.

    Attributes:
        layout: the collection that it is named as.
        patient: studies of one patient are never split between training and validation.
        name: `<patient>__<study>`, different for every study of the cohort.
        images: by contrast: T1w, T2w, FLAIR, T1c (T1w with contrast agent); one at least.
        lesions: label images, together; empty where lesions are not known.
        lesion_values: what is a lesion in them; empty: all but 0.
        mask: not 0 in the brain; None where there is none.
    """

    layout: str
    patient: str
    name: str
    images: dict[str, Path] = field(default_factory=dict)
    lesions: tuple[Path, ...] = ()
    lesion_values: tuple[int, ...] = ()
    mask: Path | None = None


def find_brain_studies(cohort: Path) -> list[BrainStudy]:
    """The studies of brain MR below a folder, by name; empty where there are none.

    Their images are not opened, and nothing is written.

    Raises:
        InputError: two studies of one name, OASIS as ANALYZE, or a folder that may not be read.
    """
    found: dict[tuple[str, str, str, str], dict[str, list[Path]]] = {}
    values: dict[str, tuple[int, ...]] = {}
    analyze = None
    for path in _files(cohort):
        relative = path.relative_to(cohort).as_posix()
        if re.search(r"(?:^|/)OAS[12]_\d+_MR\d+_mpr[^/]*\.hdr$", relative, re.IGNORECASE):
            analyze = path
        for names in _LAYOUTS:
            match = names.pattern.fullmatch(relative)
            if match is None:
                continue
            groups = match.groupdict()
            patient, study = groups["patient"], groups.get("study") or "0"
            # A patient's folder in two places is two copies; names that say all may lie anywhere.
            in_folder = relative[match.end("patient")] == "/"
            place = relative[: match.start("patient")] if in_folder else ""
            files = found.setdefault((names.layout, place, patient, study), {})
            files.setdefault(names.roles[groups["what"].lower()], []).append(path)
            values[names.layout] = names.lesion_values
            break
    studies = [
        _study(layout, patient, study, files, values[layout])
        for (layout, _, patient, study), files in found.items()
        if files.keys() - {LESIONS, MASK}
    ]
    if analyze is not None and not studies:
        raise InputError(
            f"{shown(analyze)} is of OASIS as ANALYZE, which does not say which side is left",
            "convert the images to NIfTI, with the names that they have",
        )
    twice = [name for name, count in Counter(s.name for s in studies).items() if count > 1]
    if twice:
        raise InputError(
            f"the cohort {shown(cohort)} has two studies named '{twice[0]}'",
            "give the folder of one of them, as of raw or of coregistered images",
        )
    return sorted(studies, key=lambda study: study.name)


def _study(
    layout: str, patient: str, study: str, files: dict[str, list[Path]], values: tuple[int, ...]
) -> BrainStudy:
    chosen = {
        role: min(paths, key=lambda path: (bool(_SECOND_CHOICE & set(path.parts)), path))
        for role, paths in files.items()
    }
    return BrainStudy(
        layout=layout,
        patient=patient.replace("/", "-"),
        name=f"{patient}__{study}".replace("/", "-"),
        images={role: path for role, path in chosen.items() if role not in (LESIONS, MASK)},
        lesions=tuple(sorted(files.get(LESIONS, ()))),
        lesion_values=values,
        mask=chosen.get(MASK),
    )


def _files(cohort: Path) -> Iterator[Path]:
    """Every visible file below a folder, in the order of their names; labs link their patients.

    Raises:
        InputError: a folder may not be read.
    """

    def refuse(error: OSError) -> None:
        raise InputError(
            f"the cohort {shown(cohort)} cannot be read: {error.strerror or error}",
            "check who may read its folders",
        ) from error

    seen: set[str] = set()
    for folder, inner, names in os.walk(cohort, onerror=refuse, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:  # a link leads back
            inner.clear()
            continue
        seen.add(place)
        depth = len(Path(folder).relative_to(cohort).parts)
        inner[:] = sorted(n for n in inner if not n.startswith(".")) if depth < DEEPEST else []
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder, name)
