"""Which DICOM series lie in a folder, and which of them is meant."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text

PET_IMAGE = "1.2.840.10008.5.1.4.1.1.128"
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
# Enhanced PET, and Legacy Converted Enhanced PET: one file with many frames.
ENHANCED_PET = ("1.2.840.10008.5.1.4.1.1.130", "1.2.840.10008.5.1.4.1.1.128.1")
ENHANCED_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
SOP_CLASS = {"PT": PET_IMAGE, "CT": CT_IMAGE}

INDEX_TAGS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "SeriesInstanceUID",
    "SeriesDescription",
    "SeriesNumber",
    "SeriesType",
    "ImageType",
    "CorrectedImage",
    "FrameOfReferenceUID",
)


@dataclass(frozen=True)
class Series:
    """The files of one DICOM series, unsorted, and what tells it from the others."""

    uid: str
    modality: str
    sop_class: str
    description: str
    number: str
    series_type: str
    image_type: str
    corrected_image: str
    frame_of_reference: str
    files: tuple[Path, ...]

    def __str__(self) -> str:
        return (
            f"{self.modality or 'no modality'} '{self.description or 'no description'}' "
            f"({len(self.files)} files, series {self.number or '?'}, UID {self.uid or 'missing'})"
        )


def find_series(
    path: Path, modality: str, frame_of_reference: str = ""
) -> tuple[Series, list[str]]:
    """The series of a modality at `path`, and notes on how it was chosen.

    Args:
        path: a folder, searched with all its subfolders, or one file of the wanted series (its
            folder is then searched for the rest). A file names a series among several.
        modality: "PT" or "CT".
        frame_of_reference: of several CT series, the one that shares this UID is taken.

    Of several PET series the only attenuation-corrected one is taken; projections (MIP), scouts
    and single-slice series are passed over where a proper volume is there.

    Raises:
        InputError: nothing there, no such series, or several; the message lists what is there.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist.", "Check the path.")
    folder = path if path.is_dir() else path.parent
    found, unreadable, duplicates = _index(folder, deep=path.is_dir())
    if not found:
        raise InputError(
            f"{folder} contains no DICOM images{_other_images(folder)}.",
            "Give the folder that holds the DICOM series, or an image file (NIfTI, NRRD, MHA).",
        )
    notes = []
    if unreadable:
        notes.append(f"{unreadable} files in {folder} are no DICOM images and were passed over.")
    if duplicates:
        notes.append(f"{duplicates} files in {folder} are second copies of a slice, passed over.")
    if path.is_file():
        return _series_of_file(path, found, modality), notes
    chosen, note = _choose(found, modality, frame_of_reference, folder)
    others = [series for series in found if series is not chosen]
    if others:
        notes.append(
            f"{folder} contains {len(found)} series; taken: {chosen}{note}; not taken: "
            + "; ".join(map(str, others[:8]))
            + ("; ..." if len(others) > 8 else "")
        )
    return chosen, notes


def is_dicom(path: Path) -> bool:
    """Whether a file starts like DICOM: with its preamble, or (older files) with group 0008."""
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return False
    return start[128:132] == b"DICM" or start[:2] == b"\x08\x00"


def _series_of_file(path: Path, found: list[Series], modality: str) -> Series:
    wanted = path.resolve()
    for series in found:
        if wanted in (file.resolve() for file in series.files):
            return _checked(series, modality, found)
    raise InputError(
        f"{path} is no readable DICOM image.", "Give another file of the series, or its folder."
    )


def _choose(
    found: list[Series], modality: str, frame_of_reference: str, folder: Path
) -> tuple[Series, str]:
    wanted = [series for series in found if _suits(series, modality)]
    if not wanted:
        closest = next((series for series in found if series.modality == modality), found[0])
        return _checked(closest, modality, found), ""
    volumes = [series for series in wanted if len(series.files) > 1 and not _is_flat(series)]
    left = volumes or wanted
    reason = ""
    if len(left) > 1 and modality == "PT":
        corrected = [s for s in left if "ATTN" in s.corrected_image.upper().split("\\")]
        if len(corrected) == 1:
            left, reason = corrected, ", the only attenuation-corrected PET"
    if len(left) > 1 and frame_of_reference:
        same = [s for s in left if s.frame_of_reference == frame_of_reference]
        if len(same) == 1:
            left, reason = same, ", the only one in the PET's frame of reference"
    if len(left) == 1:
        return left[0], reason
    raise InputError(
        f"{folder} contains {len(left)} {modality} series: " + "; ".join(map(str, left)) + ".",
        "Say which: give a folder with only that series, or the path of one of its files "
        f"(such as {left[0].files[0]}).",
    )


def _checked(series: Series, modality: str, found: list[Series]) -> Series:
    """`series`, or the reason why it is not a usable series of this modality."""
    if _suits(series, modality):
        return series
    if series.modality != modality:
        raise InputError(
            f"No {modality} series is there ({tag_name('Modality')}); found: "
            + "; ".join(map(str, found[:8]))
            + ".",
            f"Give the folder of the {modality} series; check that PET and CT are not swapped.",
        )
    enhanced = series.sop_class in ENHANCED_PET + ENHANCED_CT
    kind = "an enhanced (multi-frame) image" if enhanced else "not a slice image"
    raise InputError(
        f"The {modality} series is {kind}, {tag_name('SOPClassUID')} {series.sop_class}: {series}.",
        f"Export the series as classic {modality} images, one file a slice.",
    )


def _suits(series: Series, modality: str) -> bool:
    return series.modality == modality and series.sop_class == SOP_CLASS[modality]


def _is_flat(series: Series) -> bool:
    """Scouts and projections, stored as if they were slices."""
    return (
        "LOCALIZER" in series.image_type.upper().split("\\")
        or "REPROJECTION" in series.series_type.upper()
    )


def _index(folder: Path, deep: bool) -> tuple[list[Series], int, int]:
    """All series under a folder, the number of other files, and of second copies of a slice."""
    files: dict[tuple[str, ...], list[Path]] = {}
    instances: set[str] = set()
    unreadable = duplicates = 0
    for path in _files(folder, deep):
        header = _index_header(path)
        if header is None:
            unreadable += 1
            continue
        instance = text(header, "SOPInstanceUID")
        if instance and instance in instances:
            duplicates += 1
            continue
        instances.add(instance)
        # A series is one UID, modality and object class; its other properties are its first file's.
        key = tuple(text(header, k) for k in ("SeriesInstanceUID", "Modality", "SOPClassUID"))
        files.setdefault(key, []).append(path)
    found = [_series(key, paths) for key, paths in files.items()]
    nameless = next((series for series in found if not series.uid), None)
    if nameless is not None and len(found) > 1:
        raise InputError(
            f"The DICOM file {nameless.files[0]} is truncated or incomplete: "
            f"{tag_name('SeriesInstanceUID')} is missing.",
            "Copy or export the series again.",
        )
    return sorted(found, key=lambda series: (series.modality, series.uid)), unreadable, duplicates


def _series(key: tuple[str, ...], paths: list[Path]) -> Series:
    header: Any = _index_header(paths[0])
    return Series(
        uid=key[0],
        modality=key[1],
        sop_class=key[2],
        description=text(header, "SeriesDescription"),
        number=text(header, "SeriesNumber"),
        series_type=text(header, "SeriesType"),
        image_type=text(header, "ImageType"),
        corrected_image=text(header, "CorrectedImage"),
        frame_of_reference=text(header, "FrameOfReferenceUID"),
        files=tuple(paths),
    )


def _files(folder: Path, deep: bool) -> Iterator[Path]:
    """Visible files in a stable order, so that the same folder always gives the same answer."""
    for directory, names, files in os.walk(folder):
        names[:] = sorted(n for n in names if not n.startswith((".", "__MACOSX"))) if deep else []
        for name in sorted(files):
            if not name.startswith(".") and name.upper() != "DICOMDIR":
                yield Path(directory) / name


def _index_header(path: Path) -> pydicom.Dataset | None:
    """The attributes of the index; None for other files and for media directories.

    Raises:
        InputError: the file begins as DICOM and breaks off: a slice would be missing silently.
    """
    if not is_dicom(path):
        return None
    try:
        header: pydicom.Dataset = pydicom.dcmread(
            path, stop_before_pixels=True, force=True, specific_tags=list(INDEX_TAGS)
        )
    except Exception:  # damaged files make pydicom raise errors of every kind
        header = pydicom.Dataset()
    if text(header, "Modality") or text(header, "SOPClassUID"):
        return header
    meta = getattr(header, "file_meta", None) or pydicom.Dataset()
    with path.open("rb") as file:
        has_preamble = file.read(132)[128:] == b"DICM"
    if not has_preamble or text(meta, "MediaStorageSOPClassUID") == MEDIA_DIRECTORY:
        return None
    raise InputError(
        f"The DICOM file {path} is truncated or unreadable.", "Copy or export the series again."
    )


def _other_images(folder: Path) -> str:
    endings = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
    images = [p.name for p in sorted(folder.iterdir()) if p.name.lower().endswith(endings)]
    return f" (but {', '.join(images[:5])})" if images else ""
