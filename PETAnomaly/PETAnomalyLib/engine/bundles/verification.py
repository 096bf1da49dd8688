"""What a bundle's files must be before anything is loaded from them. No torch.

Three layers: only files of the kinds below, no links; `SHA256SUMS` names every one of them with its
hash; and the binary files' own headers say what the manifest says, so that a loader allocates no
more than the files hold. How many files and bytes there are is looked at before any is read.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.bundles.manifest import read_manifest
from PETAnomalyLib.engine.bundles.names import safe_path
from PETAnomalyLib.engine.bundles.template import (
    check_labels,
    check_residual,
    check_template,
)
from PETAnomalyLib.engine.runtime.errors import BundleError
from PETAnomalyLib.engine.runtime.json_file import parse_json
from PETAnomalyLib.engine.runtime.regular_file import open_regular, read_regular

SUMS = "SHA256SUMS"
LARGEST_SUMS_BYTES = 1 << 20
MOST_FILES = 1000
LARGEST_FILE_BYTES = 4 << 30
LARGEST_TOTAL_BYTES = 4 << 30

if TYPE_CHECKING:
    from typing import TypeGuard  # Python 3.10

_ALLOWED = re.compile(
    r"configs/[^/]+\.json|docs/[^/]+\.(md|txt)|models/[^/]+\.safetensors"
    r"|models/[^/]+\.nii\.gz|LICENSE(\.txt)?|SHA256SUMS"
)
_FILE_BROWSER_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
_HINT = "Do not use it; get the model again from where it is published."

_LARGEST_HEADER_BYTES = 16 << 20
# Bytes of an element, of the types that safetensors and our networks share.
_TENSOR_TYPES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


def is_allowed(name: str) -> bool:
    """Whether a file of this name (relative, `/` between parts) may be part of a bundle at all."""
    return safe_path(name) is not None and _ALLOWED.fullmatch(name) is not None


def verify_files(folder: Path) -> dict[str, Any]:
    """Check a bundle completely: its files, their hashes, the manifest, the binary headers.

    Returns:
        the manifest.

    Raises:
        BundleError: naming the file, and the key where there is one.
    """
    files = list_files(folder)
    manifest = read_manifest(folder / "configs" / "metadata.json")
    _check_sums(folder, files)
    ours = manifest["petanomaly"]
    family = FAMILIES[ours["healer"]["family"]]
    for network, name in ours["weights"].items():
        _require(name, files, f"petanomaly.weights.{network}")
        elements = tensor_elements(folder / name, name)
        least = family.networks[network].least_parameters(ours["healer"][network])
        if least > elements:
            raise BundleError(
                f"configs/metadata.json, key petanomaly.healer.{network}: a network of these sizes "
                f"has at least {least} parameters, but {name} holds {elements}.",
                _HINT,
            )
    _require(ours["frame"]["template"], files, "petanomaly.frame.template")
    template = folder / ours["frame"]["template"]
    check_template(template, ours["frame"]["template"], ours["frame"])
    for name, key in (
        (ours.get("region_atlas"), "petanomaly.region_atlas"),
        (ours["frame"].get("mask"), "petanomaly.frame.mask"),
    ):
        if name is not None:
            _require(name, files, key)
            check_labels(folder / name, name, template, ours["frame"])
    for statistic in ("mean", "std") if "normative" in ours else ():
        name = ours["normative"][statistic]
        _require(name, files, f"petanomaly.normative.{statistic}")
        check_residual(folder / name, name, template, ours["frame"], statistic == "std")
    return manifest


def list_files(folder: Path) -> tuple[str, ...]:
    """The bundle's files, relative with `/`, sorted.

    Raises:
        BundleError: not a folder, a link, something that is no plain file, a kind of file that has
            no place in a bundle, two names that only case tells apart, or more than a model has.
    """
    try:
        if not folder.is_dir():
            raise BundleError(f"{folder} is not a folder.", "Name a model's folder or zip file.")
        sizes = dict(_walk(folder))
    except OSError as error:
        raise BundleError(
            f"The folder cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from error
    for name, size in sizes.items():
        if size > LARGEST_FILE_BYTES:
            raise BundleError(f"{name} is {size} bytes, more than a model's file has.", _HINT)
    if sum(sizes.values()) > LARGEST_TOTAL_BYTES:
        raise BundleError("Its files are more than 4 GB together.", _HINT)
    names = sorted(sizes)
    one_case: dict[str, str] = {}
    for name in names:
        if one_case.setdefault(name.lower(), name) != name:
            raise BundleError(
                f"{one_case[name.lower()]} and {name} are one file on many computers.", _HINT
            )
    return tuple(names)


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    """Name and bytes of every file."""
    count = 0
    for name, status in _entries(folder, ""):
        count += 1
        if count > MOST_FILES:
            raise BundleError(
                f"The folder has more than {MOST_FILES} entries; a model has a handful.", _HINT
            )
        if stat.S_ISLNK(status.st_mode):
            raise BundleError(f"{name} is a link: it may lead out of the model folder.", _HINT)
        if stat.S_ISDIR(status.st_mode) and "/" not in name:
            continue
        if name.rsplit("/", 1)[-1] in _FILE_BROWSER_LITTER:
            continue
        if not stat.S_ISREG(status.st_mode) or not is_allowed(name):
            raise BundleError(
                f"{name} has no place in a model folder, which holds data only: JSON, safetensors, "
                "the template and text.",
                _HINT,
            )
        yield name, status.st_size


def _entries(folder: Path, above: str) -> Iterator[tuple[str, os.stat_result]]:
    """Everything in the folder and in the folders in it, none deeper, with its own status."""
    with os.scandir(folder) as found:
        for entry in found:
            status = entry.stat(follow_symlinks=False)
            yield above + entry.name, status
            if stat.S_ISDIR(status.st_mode) and not above:
                yield from _entries(folder / entry.name, f"{entry.name}/")


def _require(name: str, files: tuple[str, ...], key: str) -> None:
    if name not in files:
        raise BundleError(f"{name} is missing (configs/metadata.json, key {key}).", _HINT)


def read_sums(path: Path) -> dict[str, str]:
    """`SHA256SUMS` as `sha256sum` writes it: file -> hash in hexadecimal.

    Raises:
        BundleError: missing, unreadable, or a line that is not `HASH  FILE`.
    """
    try:
        text = sums_bytes(path).decode("ascii")
    except UnicodeDecodeError as error:
        raise BundleError(f"{SUMS} is not plain text.", _HINT) from error
    sums: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line)
        if not match or not is_allowed(match[2]) or match[2] in sums or match[2] == SUMS:
            raise BundleError(
                f"{SUMS}, line {number}: is not 'HASH  FILE', or not a new file.", _HINT
            )
        sums[match[2]] = match[1]
    return sums


def sums_bytes(path: Path) -> bytes:
    """The content of `SHA256SUMS`.

    Raises:
        BundleError: it cannot be read, or is larger than such a list.
    """
    try:
        return read_regular(path, LARGEST_SUMS_BYTES)
    except OSError as error:
        raise BundleError(
            f"{SUMS} is missing or unreadable: {error.strerror or error}.", _HINT
        ) from error


def _check_sums(folder: Path, files: tuple[str, ...]) -> None:
    sums = read_sums(folder / SUMS)
    for name in sums:
        if name not in files:
            raise BundleError(f"{name} is missing; {SUMS} lists it.", _HINT)
    for name in files:
        if name == SUMS:
            continue
        if name not in sums:
            raise BundleError(f"{name} is not listed in {SUMS}.", _HINT)
        try:
            found = file_hash(folder / name)
        except OSError as error:
            raise BundleError(
                f"{name} cannot be read: {error.strerror or error}.", "Check its permissions."
            ) from error
        if found != sums[name]:
            raise BundleError(f"{name} was changed: its hash is not the one in {SUMS}.", _HINT)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def tensor_elements(path: Path, name: str) -> int:
    """How many numbers a safetensors file holds, from its header alone, which is checked.

    The format: 8 bytes little-endian length, that many bytes of JSON, the tensors without gaps.
    https://github.com/huggingface/safetensors#format

    Raises:
        BundleError: the header is damaged, or does not describe exactly the bytes that follow.
    """
    with open_regular(path) as file:
        total = os.fstat(file.fileno()).st_size
        if not 8 < total <= LARGEST_FILE_BYTES:
            raise _damaged(name, f"is {total} bytes")
        (length,) = struct.unpack("<Q", file.read(8))
        if not 2 <= length <= min(_LARGEST_HEADER_BYTES, total - 8):
            raise _damaged(name, f"its header claims {length} of {total} bytes")
        header = file.read(length)
    try:
        tensors = parse_json(header.decode("utf-8"))
    except ValueError as error:
        raise _damaged(name, "its header is not JSON") from error
    if not isinstance(tensors, dict):
        raise _damaged(name, "its header is not an object")
    tensors.pop("__metadata__", None)
    ranges = []
    elements = 0
    for tensor in tensors.values():
        count, begin, end = _tensor_range(tensor, name)
        elements += count
        ranges.append((begin, end))
    reached = 0
    for begin, end in sorted(ranges):
        if begin != reached:
            raise _damaged(name, "its tensors overlap or leave gaps")
        reached = end
    if reached != total - 8 - length:
        raise _damaged(name, f"its header describes {reached} of {total - 8 - length} bytes")
    return elements


def _tensor_range(tensor: Any, name: str) -> tuple[int, int, int]:
    """(elements, begin, end) of one header entry, whose three statements must agree."""
    if not isinstance(tensor, dict):
        raise _damaged(name, "a tensor's entry is not an object")
    dtype, shape, offsets = tensor.get("dtype"), tensor.get("shape"), tensor.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in _TENSOR_TYPES:
        raise _damaged(name, "a tensor's dtype is unknown")
    if not _are_whole(shape, 0, 8) or not _are_whole(offsets, 2, 2):
        raise _damaged(name, "a tensor's shape or data_offsets are not whole numbers")
    count = math.prod(shape)
    begin, end = offsets
    if end - begin != count * _TENSOR_TYPES[dtype]:
        raise _damaged(name, "a tensor's data_offsets do not fit its shape and dtype")
    return count, begin, end


def _are_whole(values: Any, least: int, most: int) -> TypeGuard[list[int]]:
    return (
        isinstance(values, list)
        and least <= len(values) <= most
        and all(type(value) is int and 0 <= value <= LARGEST_FILE_BYTES for value in values)
    )


def _damaged(name: str, wrong: str) -> BundleError:
    return BundleError(f"{name} is damaged: {wrong}.", _HINT)
