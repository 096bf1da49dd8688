"""DICOM series of PET and CT: honest in several transfer syntaxes, lying, damaged, mixed."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from hypothesis import strategies as st
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.pixels import get_encoder
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from synthetic_dicom import ct_header, pet_header

from fuzz.case import Array, Case, Content, Special
from fuzz.damage import FLOATS, SIZES, damaged
from fuzz.dicom_truth import dicom_truth
from fuzz.volumes import affines, oblong

_SYNTAXES = (ExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian,
             ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless)  # fmt: skip
_CHANGES = ("honest", "header", "header", "header", "header", "damage", "damage", "others",
            "others", "lost")  # fmt: skip
_NUMBERS = ("PixelSpacing", "PixelSpacing", "SliceThickness", "ImagePositionPatient",
            "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleSlope",
            "RescaleIntercept", "PatientWeight", "PatientSize", "NumberOfSlices", "DecayFactor",
            "FrameReferenceTime", "ActualFrameDuration")  # fmt: skip
_WHOLE = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
          "SamplesPerPixel", "NumberOfFrames")  # fmt: skip
_WORDS = ("Units", "DecayCorrection", "CorrectedImage", "SeriesType", "ImageType", "SUVType",
          "PhotometricInterpretation", "SeriesTime", "AcquisitionTime", "SeriesDate",
          "AcquisitionDate", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
          "Modality", "SOPClassUID", "PatientSex", "Manufacturer")  # fmt: skip
_TRACER = ("RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime",
           "RadiopharmaceuticalStartDateTime", "Radiopharmaceutical")  # fmt: skip
_WRONG_NUMBERS = ("0", "-1", "1e308", "1e-30", "-1e308", "1e-308", "nan", "inf", "abc", "", "350",
                  "3.5e5", "2", "0.5", "1e3", "9" * 20, "%s%n", "4,5", "١")  # fmt: skip
_WRONG_WORDS = ("", "NONE", "ADMIN", "START", "CNTS", "GML", "CM2ML", "PROPCPS", "LBM", "BW",
                "MONOCHROME1", "RGB", "PALETTE COLOR", "CT", "PT", "MR", "235959", "000000.0",
                "245959", "19000101", "20260101", "abc", "%s%n", "1.2.3", "LOCALIZER", "x" * 300,
                "1.2.840.10008.5.1.4.1.1.130", "STATIC\\REPROJECTION", "O")  # fmt: skip

config.settings.writing_validation_mode = config.IGNORE
config.settings.reading_validation_mode = config.IGNORE


@st.composite
def dicom_cases(draw: st.DrawFn) -> Case:
    """One case; see `_CHANGES`."""
    modality = draw(st.sampled_from(("PT", "PT", "CT")))
    slices, story = draw(_series(modality))
    change = draw(st.sampled_from(_CHANGES))
    syntax = draw(st.sampled_from(_SYNTAXES))
    way = draw(st.sampled_from(("pet", "suv"))) if modality == "PT" else "ct"
    story = ["DICOM", change, *story, syntax.name]
    touched: set[str] = set()
    if change == "header":
        for _ in range(draw(st.sampled_from((1, 1, 1, 2)))):
            told, keyword = draw(_lie(slices))
            touched.add(keyword)
            story.append(told)
    names = [f"{draw(st.sampled_from('abc'))}{k:02d}.dcm" for k in range(len(slices))]
    contents = [_encoded(dataset, syntax) for dataset in slices]
    files: dict[str, Content] = dict(zip(names, contents))
    if change == "damage":
        name = draw(st.sampled_from((*names, names[0], names[-1])))
        files[name], told = draw(damaged(contents[names.index(name)]))
        story.append(f"{name}: {told}")
    elif change == "lost":
        name = draw(st.sampled_from((names[0], names[-1], *names)))
        files[name], told = draw(_no_slice())
        story.append(f"{name}: {told}")
    elif change == "others":
        told = draw(_others(files, names, slices, syntax))
        story.append(told)
    target = draw(st.sampled_from((".", ".", names[0])))
    return Case(
        story=tuple(story),
        files=files,
        target=target,
        way=way,
        truth=lambda: dicom_truth(files, names, target, modality, touched),
        honest=change == "honest",
    )


@st.composite
def _series(draw: st.DrawFn, modality: str) -> tuple[list[FileDataset], list[str]]:
    """One dataset a slice, in order, and what they are."""
    shape = tuple(draw(st.integers(low, high)) for low, high in ((2, 5), (12, 15), (12, 15)))
    bits = draw(st.sampled_from(((16, 16), (16, 16), (16, 12), (8, 8), (32, 32))))
    # A signed CT in HU needs more than 8 bits; unsigned ones have an intercept.
    signed = draw(st.booleans()) and bits[0] == 16
    stored = _stored(np.random.default_rng(draw(st.integers(0, 2**32))), shape, bits[1], signed)
    directions, steps, origin = oblong(draw(affines(right_handed=True)))
    slope = draw(st.sampled_from((1.0, 0.5)))
    step = 1000.0 / (2.0 ** min(bits[1] - signed, 12)) * slope
    photometric = draw(st.sampled_from(("MONOCHROME2", "MONOCHROME2", "MONOCHROME1")))
    made = []
    for k in range(shape[0]):
        meta = FileMetaDataset()
        header = pet_header() if modality == "PT" else ct_header()
        dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        dataset.update(header)
        dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = UID(f"1.2.826.0.1.99.{k + 1}")
        meta.MediaStorageSOPClassUID = header.SOPClassUID
        place = origin + k * steps[2] * directions[:, 2]
        dataset.ImagePositionPatient = [f"{x:.6f}" for x in place]
        dataset.ImageOrientationPatient = [f"{x:.12f}"[:16] for x in directions[:, :2].T.ravel()]
        dataset.PixelSpacing = [f"{steps[1]:.6f}", f"{steps[0]:.6f}"]
        dataset.SliceThickness = f"{steps[2]:.6f}"
        dataset.Rows, dataset.Columns = shape[1:]
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = photometric
        dataset.BitsAllocated, dataset.BitsStored = bits
        dataset.HighBit, dataset.PixelRepresentation = bits[1] - 1, int(signed)
        # Of PET: Bq/ml up to some thousands; of CT: HU from -1000.
        of_slice = step * 12 * (1 + (k % 2)) if modality == "PT" else step * 2
        dataset.RescaleSlope = f"{of_slice:.8g}"
        dataset.RescaleIntercept = "0" if modality == "PT" else "-1000"
        dataset.add_new("PixelData", "OB" if bits[0] == 8 else "OW", stored[k].tobytes())
        made.append(dataset)
    return made, [f"{modality} {shape} {bits} signed {signed} {photometric}"]


def _stored(noise: Any, shape: tuple[int, ...], bits: int, signed: bool) -> Array:
    """Numbers from 0 up to the twelve lowest bits' largest."""
    largest = 2 ** min(bits - signed, 12) - 1
    kind = {8: np.uint8, 12: np.uint16, 16: np.uint16, 32: np.uint32}[bits]
    made = noise.integers(0, largest, shape, endpoint=True)
    made[:, 0, 0] = 0
    return np.asarray(made).astype(np.int16 if signed else kind)


@st.composite
def _lie(draw: st.DrawFn, slices: list[FileDataset]) -> tuple[str, str]:
    """Change one attribute, in one slice or in all."""
    where = draw(st.sampled_from(("all", "all", "one", "last")))
    chosen = {"all": slices, "last": slices[-1:]}.get(where) or [draw(st.sampled_from(slices))]
    lies = {
        "number": _lying_number, "whole": _lying_whole, "word": _lying_word,
        "tracer": _lying_tracer, "drop": _missing, "pixels": _other_pixels, "sequence": _no_tracer,
    }  # fmt: skip
    kind = draw(st.sampled_from(("number", "number", "whole", "word", *lies)))
    told, keyword = draw(lies[kind](chosen))
    return f"{where}: {told}", keyword


Told = tuple[str, str]
"""What was changed, in words, and the keyword of it."""


@st.composite
def _missing(draw: st.DrawFn, chosen: list[FileDataset]) -> Told:
    keyword = draw(st.sampled_from((*_NUMBERS, *_WHOLE, *_WORDS, "PixelData")))
    for dataset in chosen:
        if keyword in dataset:
            delattr(dataset, keyword)
    return f"without {keyword}", keyword


@st.composite
def _lying_whole(draw: st.DrawFn, chosen: list[FileDataset]) -> Told:
    keyword = draw(st.sampled_from(_WHOLE))
    known = int(chosen[0].get(keyword, 1))
    drawn = draw(st.sampled_from((*SIZES, 8, 10, 12, 15, 16, 32, 64, known - 1, known + 1)))
    value = max(0, drawn) & 0xFFFF
    for dataset in chosen:
        setattr(dataset, keyword, value)
    return f"{keyword} = {value}", keyword


@st.composite
def _lying_number(draw: st.DrawFn, chosen: list[FileDataset]) -> Told:
    keyword = draw(st.sampled_from(_NUMBERS))
    value = draw(_wrong_numbers(chosen[0], keyword))
    for dataset in chosen:
        _state(dataset, keyword, value)
    return f"{keyword} = {value!r}", keyword


@st.composite
def _lying_word(draw: st.DrawFn, chosen: list[FileDataset]) -> Told:
    keyword = draw(st.sampled_from(_WORDS))
    value = draw(st.sampled_from((*_WRONG_WORDS, f"{chosen[0].get(keyword, '')} ")))
    for dataset in chosen:
        _state(dataset, keyword, value)
    return f"{keyword} = {value!r}", keyword


@st.composite
def _lying_tracer(draw: st.DrawFn, chosen: list[FileDataset]) -> Told:
    keyword = draw(st.sampled_from(_TRACER))
    value = draw(st.sampled_from((*_WRONG_NUMBERS, *_WRONG_WORDS)))
    for dataset in chosen:
        for item in dataset.get("RadiopharmaceuticalInformationSequence") or ():
            _state(item, keyword, value)
    return f"{keyword} = {value!r}", keyword


@st.composite
def _no_tracer(draw: st.DrawFn, chosen: list[FileDataset]) -> Told:
    keyword = "RadiopharmaceuticalInformationSequence"
    value = draw(st.sampled_from(([], [Dataset()], b"garbage!")))
    for dataset in chosen:
        if isinstance(value, bytes):
            _put(dataset, keyword, value)
        else:
            setattr(dataset, keyword, value)
    return f"its tracer is {value!r}", keyword


@st.composite
def _wrong_numbers(draw: st.DrawFn, dataset: Dataset, keyword: str) -> str:
    """The attribute's numbers with one of them replaced, or one too few or too many."""
    known = dataset.get(keyword) or "1"
    parts = [str(known)] if isinstance(known, (str, float, int)) else [str(part) for part in known]
    place = draw(st.integers(0, len(parts)))
    if place == len(parts):
        return "\\".join(draw(st.sampled_from((parts[:-1], [*parts, "1"], ["0"] * len(parts)))))
    old = float(parts[place])
    near = (f"{old + 60:.6g}", f"{-old:.6g}", f"{old * 1.005:.6g}", f"{old + 0.3:.6g}")
    floats = tuple(f"{number:g}" for number in FLOATS)
    parts[place] = draw(st.sampled_from((*_WRONG_NUMBERS, *near, *floats)))
    return "\\".join(parts)


def _state(dataset: Dataset, keyword: str, value: str) -> None:
    """Put text in the place of a value, whatever it says: pydicom refuses to assign nonsense."""
    content = value.encode("utf-8")
    _put(dataset, keyword, content + b" " * (len(content) % 2))


def _put(dataset: Dataset, keyword: str, content: bytes) -> None:
    tag = Tag(tag_for_keyword(keyword) or 0)
    raw = RawDataElement(tag, dictionary_VR(tag), len(content), content, 0, False, True)
    dataset._dict[tag] = raw


@st.composite
def _other_pixels(draw: st.DrawFn, chosen: list[FileDataset]) -> Told:
    """Pixel data of another length or kind."""
    kind = draw(st.sampled_from(("short", "long", "empty", "float", "double", "same")))
    for dataset in chosen:
        content: bytes = dataset.get("PixelData") or b""
        if kind in ("float", "double"):
            dataset.pop(Tag(0x7FE00010), None)
            dataset.BitsAllocated = 32 if kind == "float" else 64
            number = struct.pack("<f" if kind == "float" else "<d", 1.5)
            count = int(dataset.Rows) * int(dataset.Columns)
            keyword = "FloatPixelData" if kind == "float" else "DoubleFloatPixelData"
            setattr(dataset, keyword, number * count)
        elif kind == "same":
            dataset.add_new("PixelData", "OW", bytes(len(content)))
        else:
            other = {"short": content[:-2], "long": content * 2, "empty": b""}[kind]
            dataset.add_new("PixelData", "OW", other)
    return f"pixel data {kind}", "PixelData"


@st.composite
def _no_slice(draw: st.DrawFn) -> tuple[Content, str]:
    """What stands where a slice should."""
    contents: tuple[Content, ...] = (
        Special("fifo"), Special("link", "/dev/zero"), Special("link", "nowhere"), b"",
        b"\0" * 128 + b"DICM", b"\x08\0" + bytes(200), bytes(4096), b"\x02\0\0\0UL\x04\0",
    )  # fmt: skip
    content = draw(st.sampled_from(contents))
    return content, f"in its place {content!r}"[:90]


@st.composite
def _others(
    draw: st.DrawFn,
    files: dict[str, Content],
    names: list[str],
    slices: list[FileDataset],
    syntax: UID,
) -> str:
    """Put something else into the series' folder, or give slices the same instance."""
    kind = draw(
        st.sampled_from(
            ("copy", "copy elsewhere", "fifo", "device", "loop", "text", "media directory",
             "another series", "one instance", "one instance", "two instances")
        )
    )  # fmt: skip
    copied = draw(st.sampled_from(names))
    if kind == "copy":
        files["zz.dcm"] = files[copied]
    elif kind == "copy elsewhere":
        files["sub/zz.dcm"] = files[copied]
    elif kind == "fifo":
        files[draw(st.sampled_from(("0", "zz.dcm", "sub/pipe")))] = Special("fifo")
    elif kind == "device":
        files[draw(st.sampled_from(("0", "zz.dcm")))] = Special("link", "/dev/zero")
    elif kind == "loop":
        files["sub/again"] = Special("link", "..")
    elif kind == "text":
        files["notes.txt"] = b"beside"
    elif kind == "media directory":
        files["DICOMDIR"] = draw(st.sampled_from((b"", b"x", bytes(128) + b"DICM")))
    elif kind == "another series":
        other = slices[0]
        other.SeriesInstanceUID, other.SOPInstanceUID = "1.2.3.4", "1.2.3.4.5"
        files["other.dcm"] = _encoded(other, syntax)
    else:
        several = slices if kind == "one instance" else slices[-2:]
        for dataset in several:
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.9")
        files.update({name: _encoded(each, syntax) for name, each in zip(names, slices)})
    return kind


def _encoded(dataset: FileDataset, syntax: UID) -> bytes:
    """A file's bytes. What cannot be packed, as its header lies, stays plain."""
    little = syntax != ExplicitVRBigEndian
    written = FileDataset("", {}, file_meta=dataset.file_meta, preamble=b"\0" * 128)
    written._dict.update(dataset._dict)
    if dataset.get("BitsAllocated") == 8 and not little:  # bytes swapped in pairs: nobody writes it
        syntax, little = ExplicitVRLittleEndian, True
    written.file_meta.TransferSyntaxUID = syntax
    # What was put in as bytes stays as it is.
    written.set_original_encoding(syntax.is_implicit_VR, little, "iso8859")
    if syntax == RLELossless:
        try:
            frame = get_encoder(RLELossless).encode(
                bytes(dataset.PixelData),
                rows=dataset.Rows, columns=dataset.Columns, samples_per_pixel=1,
                bits_allocated=dataset.BitsAllocated, bits_stored=dataset.BitsStored,
                number_of_frames=1, photometric_interpretation="MONOCHROME2",
                pixel_representation=dataset.PixelRepresentation,
            )  # fmt: skip
            written.PixelData = encapsulate([frame])
            written["PixelData"].VR = "OB"
            written["PixelData"].is_undefined_length = True
        except Exception:
            written.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    elif not little and dataset.get("PixelData") and dataset.get("BitsAllocated") in (16, 32):
        width = dataset.BitsAllocated // 8
        whole = len(dataset.PixelData) // width * width
        numbers = np.frombuffer(dataset.PixelData[:whole], f"<u{width}")
        written.add_new("PixelData", "OW", numbers.astype(f">u{width}").tobytes())
    buffer = io.BytesIO()
    dcmwrite(buffer, written, enforce_file_format=True)
    return buffer.getvalue()
