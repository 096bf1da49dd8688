"""The bytes that are checked are the bytes that become the image."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from engine_process import environment
from image_files import (
    nifti_bytes,
    same_image,
    write_meta_image,
    write_nifti,
    write_nrrd,
)
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.image_file import read_image_file, read_mask_file
from PETAnomalyLib.engine.study.study import read_pet
from repository import ROOT

NAMES = ["p.nii", "p.nii.gz", "p.nrrd", "p.nhdr", "p.mha", "p.mhd"]


def noise(seed: int = 0, shape: tuple[int, int, int] = (12, 14, 16)) -> sitk.Image:
    """SUV-like noise, mean about 1, on 20 mm voxels."""
    values = np.random.default_rng(seed).gamma(2.0, 0.5, shape).astype(np.float32)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((20.0, 20.0, 20.0))
    return image


def test_the_named_file_is_read_whatever_lies_beside_it(tmp_path: Path) -> None:
    one, half = noise(), noise() / 2
    sitk.WriteImage(one, str(tmp_path / "x.nii.gz"))
    sitk.WriteImage(half, str(tmp_path / "x.nii"))
    assert same_image(read_image_file(tmp_path / "x.nii.gz")[0], one)
    assert same_image(read_image_file(tmp_path / "x.nii")[0], half)
    mean = sitk.GetArrayFromImage(read_pet(tmp_path / "x.nii.gz")[0]).mean()
    assert mean == pytest.approx(sitk.GetArrayFromImage(one).mean(), rel=1e-6)
    shutil.copy(tmp_path / "x.nii", tmp_path / "y.nii.gz")  # plain under a name of gzip
    shutil.copy(tmp_path / "x.nii.gz", tmp_path / "y.nii")  # and the other way round
    assert same_image(read_image_file(tmp_path / "y.nii.gz")[0], half)
    assert same_image(read_image_file(tmp_path / "y.nii")[0], one)
    for name in ("x.hdr", "x.img", "x.img.gz", "x.NII"):
        (tmp_path / name).write_bytes(b"something else")
    assert same_image(read_image_file(tmp_path / "x.nii.gz")[0], one)


def test_the_named_mask_is_read_whatever_lies_beside_it(tmp_path: Path) -> None:
    mask = sitk.Cast(noise() > 1.5, sitk.sitkUInt8)
    sitk.WriteImage(mask, str(tmp_path / "SEG.nii.gz"))
    sitk.WriteImage(mask * 0, str(tmp_path / "SEG.nii"))
    assert same_image(read_mask_file(tmp_path / "SEG.nii.gz")[0], mask)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_every_bit_of_gzip_counts(tmp_path: Path, kind: Any) -> None:
    """A flipped bit is refused, or (in what gzip notes, such as the time) changes nothing."""
    values = (np.random.default_rng(2).gamma(2.0, 50.0, (6, 7, 8))).astype(kind)
    whole = gzip.compress(nifti_bytes(values), 6)
    path = tmp_path / "p.nii.gz"
    path.write_bytes(whole)
    expected = read_image_file(path)[0]
    assert np.array_equal(sitk.GetArrayViewFromImage(expected), values)
    places = [*range(24), *range(len(whole) - 12, len(whole))]
    bits = [8 * place + bit for place in places for bit in range(8)]
    bits += np.random.default_rng(3).integers(0, 8 * len(whole), 300).tolist()
    refused = 0
    for bit in bits:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(damaged))
        try:
            assert same_image(read_image_file(path)[0], expected)
        except InputError:
            refused += 1
    assert refused >= len(bits) - 8 * 8  # time (4 bytes), flags of the packer, system, text


@pytest.mark.parametrize("name", ["p.nrrd", "p.nhdr", "p.mha", "p.mhd"])
def test_a_flipped_bit_in_packed_voxels_is_refused_in_the_other_formats(
    tmp_path: Path, name: str
) -> None:
    sitk.WriteImage(noise(), str(tmp_path / name), True)
    data = max(tmp_path.iterdir(), key=lambda path: path.stat().st_size)
    whole = data.read_bytes()
    for place in np.random.default_rng(4).integers(len(whole) - 5000, len(whole), 60):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        data.write_bytes(bytes(damaged))
        with pytest.raises(InputError, match=r"damaged|truncated|more bytes"):
            read_image_file(tmp_path / name)


def test_gzip_of_several_members_is_read_as_nibabel_reads_it(tmp_path: Path) -> None:
    values = sitk.GetArrayFromImage(noise())
    content = nifti_bytes(values)
    parts = [content[:100], content[100:400], b"", content[400:5000], content[5000:], b""]
    path = tmp_path / "p.nii.gz"
    path.write_bytes(b"".join(gzip.compress(part) for part in parts))
    loaded: Any = nibabel.load(path)
    assert np.array_equal(loaded.get_fdata().T, values)
    assert np.array_equal(sitk.GetArrayViewFromImage(read_image_file(path)[0]), values)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("packed", [True, False])
def test_more_bytes_than_announced_are_refused(tmp_path: Path, name: str, packed: bool) -> None:
    sitk.WriteImage(noise(), str(tmp_path / name), packed)
    data = max(tmp_path.iterdir(), key=lambda path: path.stat().st_size)
    whole = data.read_bytes()
    for rest in (b"x", b"garbage" * 100):
        data.write_bytes(whole + rest)
        with pytest.raises(InputError, match=r"more bytes|damaged|truncated"):
            read_image_file(tmp_path / name)


@pytest.mark.parametrize("name", ["p.nhdr", "p.mhd"])
@pytest.mark.parametrize(
    "named",
    ["/etc/passwd", "/dev/zero", "../p.raw", "sub/p.raw", "..", ".", "./../p.raw", "C:p.raw",
     "a\\p.raw", "%s%n%s%n", "p%03d.raw 0 9 1", "LIST", "p.raw\0.txt"],
)  # fmt: skip
def test_a_detached_header_names_a_file_of_its_own_folder_or_is_refused(
    tmp_path: Path, name: str, named: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    data = np.arange(24, dtype="<i2").tobytes()
    for place in (tmp_path / "p.raw", folder / "p.raw"):
        place.write_bytes(data)
    (folder / "sub").mkdir()
    shutil.copy(folder / "p.raw", folder / "sub" / "p.raw")

    def write(data_file: str) -> Path:
        if name == "p.nhdr":
            return write_nrrd(folder / name, b"", data_file=data_file)
        return write_meta_image(folder / name, b"", ElementDataFile=data_file)

    assert read_image_file(write("p.raw"))[0].GetSize() == (2, 3, 4)
    assert read_image_file(write("./p.raw"))[0].GetSize() == (2, 3, 4)
    with pytest.raises(InputError, match="not the name of one file beside it"):
        read_image_file(write(named))


def test_a_pattern_in_a_meta_image_is_refused_where_itk_crashes(tmp_path: Path) -> None:
    for named in ("%s%n%s%n%s%n 1 3 1", "%d%d%n 0 1 1", "x%99999999d.raw 1 2 1"):
        path = write_meta_image(tmp_path / "p.mha", b"", ElementDataFile=named)
        with pytest.raises(InputError, match="not the name of one file"):
            read_image_file(path)
    for axes in (99, 0, -3, 11, 2**31):
        path = write_meta_image(tmp_path / "p.mha", b"", NDims=axes, DimSize="1 " * 99)
        with pytest.raises(InputError, match=r"axes \(NDims\)|impossible"):
            read_image_file(path)


# VmHWM: what `resource` gives counts what the process that started this one had.
PEAK = """
import re
from pathlib import Path

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
"""
LIARS = """
import sys, time
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.image_file import read_image_file
read_image_file(Path(sys.argv[1]))
for path in sys.argv[2:]:
    start = time.process_time()
    try:
        read_image_file(Path(path))
        print("read", path)
    except InputError as error:
        print("refused", round(time.process_time() - start, 3))
print("peak", peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_headers_that_promise_gigabytes_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    big, few = (1300, 1300, 1300), bytes(1024)
    sizes = " ".join(map(str, big))
    noise_bytes = np.random.default_rng(0).bytes(200_000)
    honest = write_nifti(tmp_path / "honest.nii.gz", np.ones((2, 3, 4), np.float32))
    dim = [3, *big, 1, 1, 1, 1]
    small = np.ones((2, 3, 4), np.float32)
    less = {"sizes": "1000 1000 1000", "type": "double"}
    many = "\n".join(f"key{i}:=value" for i in range(4_000_000))
    files = [
        write_nrrd(tmp_path / "raw.nrrd", few, sizes=sizes, type="float"),
        write_nrrd(tmp_path / "gz.nrrd", gzip.compress(few), sizes=sizes, encoding="gzip"),
        write_nrrd(tmp_path / "end.nrrd", few, sizes=sizes, byte_skip=-1),
        write_nrrd(tmp_path / "skip.nrrd", few, byte_skip=10**11),
        write_nrrd(tmp_path / "lines.nrrd", few, line_skip=10**11),
        write_nrrd(tmp_path / "text.nrrd", few, sizes=sizes, encoding="ascii"),
        write_nrrd(tmp_path / "less.nrrd", few, **less),
        write_nrrd(tmp_path / "less-gz.nrrd", gzip.compress(noise_bytes), encoding="gzip", **less),
        write_nrrd(tmp_path / "zeros.nrrd", gzip.compress(bytes(9_000_000)), encoding="gzip",
                   **less),
        write_nrrd(tmp_path / "header.nrrd", b"", "x" * 100_000_000),
        write_nrrd(tmp_path / "keys.nrrd", b"", many),
        write_nrrd(tmp_path / "sizes.nrrd", few, sizes="9" * 100_000 + " 2 3"),
        write_meta_image(tmp_path / "raw.mha", few, DimSize=sizes),
        write_meta_image(tmp_path / "z.mha", zlib.compress(few), DimSize=sizes,
                         CompressedData=True),
        write_meta_image(tmp_path / "header.mha", few, Comment="x" * 100_000_000),
        write_nifti(tmp_path / "raw.nii", small, dim=dim),
        write_nifti(tmp_path / "gz.nii.gz", small, dim=dim),
        write_nifti(tmp_path / "offset.nii", small, vox_offset=3e12),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PEAK + LIARS, *map(str, [honest, *files])],
        capture_output=True, text=True, env=environment(), timeout=120, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    *lines, peak = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["refused"] * len(files)
    assert max(float(line.split()[1]) for line in lines) < 2
    assert int(peak.split()[1]) < 300


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_volume_takes_little_more_memory_than_its_voxels(tmp_path: Path) -> None:
    """One copy while it is read and one for the image: as much as a cast of it takes."""
    code = """
import sys
from PETAnomalyLib.engine.study.image_file import read_image_file
read_image_file(Path(sys.argv[1]))
before = peak()
read_image_file(Path(sys.argv[2]))
print(peak() - before)
"""
    small = write_nifti(tmp_path / "s.nii.gz", np.ones((2, 3, 4), np.float32))
    values = np.random.default_rng(0).integers(0, 5, (200, 256, 256)).astype(np.float32)  # 52 MB
    large = write_nifti(tmp_path / "l.nii.gz", values)
    done = subprocess.run(
        [sys.executable, "-c", PEAK + code, str(small), str(large)],
        capture_output=True, text=True, env=environment(), timeout=60, check=True,
    )  # fmt: skip
    megabytes = values.nbytes / 2**20
    assert megabytes - 10 < int(done.stdout) < 2 * megabytes + 20


def test_units_are_stated_by_notes_of_every_format(tmp_path: Path) -> None:
    values = sitk.GetArrayFromImage(noise())
    data = np.arange(24, dtype="<i2").tobytes()
    for stated, note in (("SUV", "SUVbw g/ml"), ("Bq/ml", "in Bq/ml"), ("", "seen by nobody")):
        paths = [
            write_nifti(tmp_path / "p.nii.gz", values, descrip=note.encode()),
            write_nrrd(tmp_path / "a.nrrd", data, f"units:={note}"),
            write_nrrd(tmp_path / "b.nrrd", data, sample_units=note),
            write_nrrd(tmp_path / "c.nrrd", data, f"ITK_FileNotes:={note}"),
            write_meta_image(tmp_path / "p.mha", data, ITK_FileNotes=note),
        ]
        for path in paths:
            assert read_image_file(path)[1]["stated_units"] == stated
    image = noise()
    image.SetMetaData("ITK_FileNotes", "SUVbw g/ml")
    for name in NAMES:
        sitk.WriteImage(image, str(tmp_path / name))
        assert read_image_file(tmp_path / name)[1]["stated_units"] == "SUV"


def test_nothing_in_the_engine_reads_an_image_file_but_this_reader() -> None:
    engine = ROOT / "PETAnomaly" / "PETAnomalyLib" / "engine"
    readers = ("ReadImage(", "ImageFileReader(", "ReadImageInformation", "import nibabel")
    found = {
        str(path.relative_to(engine))
        for path in engine.rglob("*.py")
        for reader in readers
        if reader in path.read_text(encoding="utf-8")
    }
    assert found <= {
        str(Path("study", "dicom", "stored_values.py")),  # a slice, given to ITK
        str(Path("phantom", "brain", "template.py")),  # of an installed package; below this reader
    }
