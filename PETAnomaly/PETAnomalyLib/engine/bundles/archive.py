"""Unpack a model's zip file without trusting it: no path leads out, nothing but data, no bombs."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from PETAnomalyLib.engine.bundles.verification import (
    LARGEST_FILE_BYTES,
    LARGEST_TOTAL_BYTES,
    MOST_FILES,
    is_allowed,
)
from PETAnomalyLib.engine.runtime.errors import BundleError, InputError

_RATIO_LIMIT = 200  # weights hardly compress; text does so tenfold
_SMALL_ENOUGH_BYTES = 64 << 20  # below this a bomb is no harm
_HINT = "Do not use it; get the model again from where it is published."


def unpack(archive: Path, target: Path) -> None:
    """Write a zip file's bundle into the empty folder `target`.

    The bundle lies at the top of the archive or in a single folder there (MONAI's way).

    Raises:
        BundleError: not a zip file, damaged, or hostile; the message names the entry.
        InputError: there is no room for it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _checked_entries(opened)
            needed = sum(entry.file_size for entry in entries.values())
            if needed > shutil.disk_usage(target).free:
                raise InputError(
                    f"Unpacking {archive} needs {needed / 1e6:.0f} MB, which {target} has not.",
                    "Free some disk space.",
                )
            for name, entry in entries.items():
                _extract(opened, entry, target / name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError) as error:
        raise BundleError(f"The zip file is damaged: {error}.", _HINT) from error


def _checked_entries(opened: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Name inside the bundle -> entry, for the files; every entry has been checked."""
    infos = [info for info in opened.infolist() if not info.filename.startswith("__MACOSX/")]
    if len(infos) > MOST_FILES:
        raise BundleError(f"The zip file has {len(infos)} entries; a model has a handful.", _HINT)
    for info in infos:
        _check_entry(info)
    files = [info for info in infos if not info.is_dir() and not _is_litter(info)]
    if sum(info.file_size for info in files) > LARGEST_TOTAL_BYTES:
        raise BundleError("The zip file unpacks to more than 4 GB.", _HINT)
    folders = {info.filename.split("/", 1)[0] for info in files}
    is_wrapped = len(folders) == 1 and all("/" in info.filename for info in files)
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in files:
        name = info.filename.split("/", 1)[1] if is_wrapped else info.filename
        if not is_allowed(name):
            raise BundleError(
                f"The zip file's entry {info.filename!a:.200} has no place in a model, which holds "
                "data only: JSON, safetensors, the template and text.",
                _HINT,
            )
        if name.lower() in (other.lower() for other in entries):
            raise BundleError(f"The zip file holds {name} twice.", _HINT)
        entries[name] = info
    return entries


def _is_litter(info: zipfile.ZipInfo) -> bool:
    return info.filename.rsplit("/", 1)[-1] == ".DS_Store"


def _check_entry(info: zipfile.ZipInfo) -> None:
    # `orig_filename` is what the archive says before Python's own cleaning.
    raw = info.orig_filename
    parts = raw.rstrip("/").split("/")
    if raw.startswith("/") or "\\" in raw or ":" in raw or "\0" in raw or ".." in parts:
        wrong = "leads out of the model folder"
    elif stat.S_ISLNK(info.external_attr >> 16):
        wrong = "is a link"
    elif info.flag_bits & 0x1:
        wrong = "is encrypted"
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        wrong = "is compressed in an unusual way"
    elif info.file_size > LARGEST_FILE_BYTES or (
        info.file_size > max(_SMALL_ENOUGH_BYTES, _RATIO_LIMIT * info.compress_size)
    ):
        wrong = f"unpacks from {info.compress_size} to {info.file_size} bytes"
    else:
        return
    raise BundleError(f"The zip file's entry {raw!a:.200} {wrong}.", _HINT)


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with opened.open(entry) as source, target.open("xb") as file:
        while block := source.read(min(1 << 20, left + 1)):
            left -= len(block)
            if left < 0:
                raise BundleError(
                    f"The zip file's entry {entry.filename!a:.200} is larger than it says.", _HINT
                )
            file.write(block)
