"""Which DICOM series lie in a folder, and which of them is meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydicom

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.printable import printable
from PETAnomalyLib.engine.study.contrast import contrast_of_name
from PETAnomalyLib.engine.study.dicom.copies import Copies
from PETAnomalyLib.engine.study.dicom.dicom_files import (
    files_below,
    is_media_directory,
    read_index,
)
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text
from PETAnomalyLib.engine.study.input_path import is_folder, shown

PET_IMAGE = "1.2.840.10008.5.1.4.1.1.128"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
# Enhanced PET, and Legacy Converted Enhanced PET: one file with many frames.
ENHANCED_PET = ("1.2.840.10008.5.1.4.1.1.130", "1.2.840.10008.5.1.4.1.1.128.1")
ENHANCED_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = ("1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4")
SOP_CLASS = {"PT": PET_IMAGE, "CT": CT_IMAGE, "MR": MR_IMAGE}

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
    "StudyInstanceUID",
    "StudyDate",
    "PatientID",
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
    study_uid: str
    study_date: str
    patient_id: str
    files: tuple[Path, ...]

    def __str__(self) -> str:
        return printable(
            f"{self.modality or 'no modality'} '{self.description or 'no description'}' "
            f"({len(self.files)} files, series {self.number or '?'}, UID {self.uid or 'missing'})"
        )


def find_series(
    path: Path, modality: str, frame_of_reference: str = "", contrast: str = ""
) -> tuple[Series, list[str]]:
    """The series of a modality at `path`, and notes on how it was chosen.

    Args:
        path: a folder, searched with all its subfolders (a DICOMDIR stands for its folder), or one
            file of the wanted series (its folder is then searched for the rest). A file names a
            series among several.
        modality: "PT", "CT" or "MR".
        frame_of_reference: of several CT series, the one that shares this UID is taken.
        contrast: of several MR series, the one whose description tells this contrast is taken.

    Of several PET series the only attenuation-corrected one is taken; projections (MIP), scouts
    and single-slice series are passed over where a proper volume is there.

    Raises:
        InputError: nothing there, no such series, or several; the message lists what is there.
    """
    path = Path(path)
    if not is_folder(path) and is_media_directory(path):
        path = path.parent
    deep = is_folder(path)
    folder = path if deep else path.parent
    found, notes = all_series(folder, deep)
    if not found:
        raise InputError(
            f"{shown(folder)} contains no DICOM images{_other_images(folder)}.",
            "Give the folder that holds the DICOM series, or an image file (NIfTI, NRRD, MHA).",
        )
    if deep:
        chosen, note = choose_series(found, modality, frame_of_reference, folder, contrast)
    else:
        chosen, note = _series_of_file(path, found, modality), ""
    others = [series for series in found if series is not chosen]
    if others:
        notes.append(
            f"{folder} contains {len(found)} series; taken: {chosen}{note}; not taken: "
            + "; ".join(map(str, others[:8]))
            + ("; ..." if len(others) > 8 else "")
        )
    return chosen, notes


def _series_of_file(path: Path, found: list[Series], modality: str) -> Series:
    wanted = path.resolve()
    for series in found:
        if wanted in (file.resolve() for file in series.files):
            return _checked(series, modality, found)
    raise InputError(
        f"{path} is no readable DICOM image.", "Give another file of the series, or its folder."
    )


def choose_series(
    found: list[Series],
    modality: str,
    frame_of_reference: str,
    folder: Path,
    contrast: str = "",
) -> tuple[Series, str]:
    """The series that `find_series` takes of several, and why; `folder` is for messages.

    Raises:
        InputError: as `find_series`.
    """
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
    if modality == "MR":
        magnitudes = [s for s in left if not _is_phase(s)]
        if len(left) > 1 and len(magnitudes) == 1:
            reason = ", the only one that is no phase image"
        left = magnitudes or left
    if len(left) > 1 and contrast:
        same = [s for s in left if contrast_of_name(s.description) == contrast]
        if len(same) == 1:
            left, reason = same, f", the only one called {contrast}"
    if len(left) == 1:
        return _magnitude(left[0]), reason
    raise InputError(
        f"{folder} contains {len(left)} {modality} series: " + "; ".join(map(str, left)) + ".",
        "Say which: give a folder with only that series, or the path of one of its files "
        f"(such as {left[0].files[0]}).",
    )


def _checked(series: Series, modality: str, found: list[Series]) -> Series:
    """`series`, or the reason why it is not a usable series of this modality."""
    if _suits(series, modality):
        return _magnitude(series)
    if series.modality != modality:
        raise InputError(
            f"No {modality} series is there ({tag_name('Modality')}); found: "
            + "; ".join(map(str, found[:8]))
            + ".",
            f"Give the folder of the {modality} series"
            + ("." if modality == "MR" else "; check that PET and CT are not swapped."),
        )
    enhanced = series.sop_class in ENHANCED_PET + ENHANCED_CT + ENHANCED_MR
    kind = "an enhanced (multi-frame) image" if enhanced else "not a slice image"
    raise InputError(
        f"The {modality} series is {kind}, {tag_name('SOPClassUID')} {series.sop_class}: {series}.",
        f"Export the series as classic {modality} images, one file a slice.",
    )


def _suits(series: Series, modality: str) -> bool:
    return series.modality == modality and series.sop_class == SOP_CLASS[modality]


def _magnitude(series: Series) -> Series:
    """`series`.

    Raises:
        InputError: it is of MR, and its values are phases.
    """
    if _is_phase(series):
        raise InputError(
            f"The MR series holds phases, {tag_name('ImageType')} {series.image_type}: {series}.",
            "Give the series of magnitude images.",
        )
    return series


def _is_phase(series: Series) -> bool:
    """Scanners write P, PHASE or PHASE MAP behind the two values that DICOM prescribes."""
    kinds = series.image_type.upper().split("\\")[2:]
    return series.modality == "MR" and not {"P", "PHASE", "PHASE MAP"}.isdisjoint(kinds)


def _is_flat(series: Series) -> bool:
    """Scouts and projections, stored as if they were slices."""
    return (
        "LOCALIZER" in series.image_type.upper().split("\\")
        or "REPROJECTION" in series.series_type.upper()
    )


def all_series(
    folder: Path, deep: bool, broken: list[InputError] | None = None
) -> tuple[list[Series], list[str]]:
    """All series under a folder, and notes on the files that were passed over.

    Args:
        folder: where to look.
        deep: with all subfolders.
        broken: takes what is wrong with files that cannot be read; they are passed over then.

    Raises:
        InputError: the folder cannot be read; without `broken`, a file that cannot, or one of
            several series that has no UID: a slice would be missing silently.
    """
    files: dict[tuple[str, ...], list[Path]] = {}
    first: dict[tuple[str, ...], pydicom.Dataset] = {}
    copies = Copies()
    notes: list[str] = []
    others = 0
    for path in files_below(folder, deep, notes):
        try:
            header = read_index(path, list(INDEX_TAGS))
        except InputError as error:
            if broken is None:
                raise
            broken.append(error)
            continue
        if header is None:
            others += 1
            continue
        if copies.is_copy(path, text(header, "SOPInstanceUID")):
            continue
        # A series is one UID, modality and object class; its other properties are its first file's.
        key = tuple(text(header, k) for k in ("SeriesInstanceUID", "Modality", "SOPClassUID"))
        files.setdefault(key, []).append(path)
        first.setdefault(key, header)
    found = [_series(key, first[key], paths) for key, paths in files.items()]
    nameless = next((series for series in found if not series.uid), None)
    if nameless is not None and len(found) > 1 and broken is None:
        raise InputError(
            f"The DICOM file {shown(nameless.files[0])} is truncated or incomplete: "
            f"{tag_name('SeriesInstanceUID')} is missing.",
            "Copy or export the series again.",
        )
    if others:
        notes.append(f"{others} files in {shown(folder)} are no DICOM images and were passed over.")
    if copies.copies:
        notes.append(
            f"{copies.copies} files in {shown(folder)} are second copies of a slice, passed over."
        )
    if copies.namesakes:
        notes.append(
            f"{copies.namesakes} files in {shown(folder)} share the {tag_name('SOPInstanceUID')} "
            "of another but lie elsewhere or have other pixels: taken as slices of their own."
        )
    return sorted(found, key=lambda series: (series.modality, series.uid)), notes


def _series(key: tuple[str, ...], header: pydicom.Dataset, paths: list[Path]) -> Series:
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
        study_uid=text(header, "StudyInstanceUID"),
        study_date=text(header, "StudyDate"),
        patient_id=text(header, "PatientID"),
        files=tuple(paths),
    )


def _other_images(folder: Path) -> str:
    endings = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
    images = [p.name for p in sorted(folder.iterdir()) if p.name.lower().endswith(endings)]
    return f" (but {', '.join(images[:5])})" if images else ""
