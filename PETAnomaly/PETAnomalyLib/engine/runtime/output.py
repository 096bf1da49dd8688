"""Results that are there whole or not at all: a folder, or one file.

    with output_folder(Path("results")) as partial:
        ...write every file into `partial`...

    require_writable(file)
    ...half an hour's work...
    write_whole(file, text)

`partial` is a hidden folder beside the result; leaving the block renames it into place, any
exception removes it. Renaming a folder is one step of the file system: whoever looks sees nothing,
or all. A process that is killed outright can leave its hidden folder behind, never a half-filled
result; the next run for the same result removes what dead runs left. A file's place is tried before
the work.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError

RESULT_FILES = frozenset(
    {
        "kde.nii.gz",
        "zscore.nii.gz",
        "residual.nii.gz",
        "scored_mask.nii.gz",
        "segmentation.seg.nrrd",
        "findings.csv",
        "findings.seg.dcm",
        "findings.sr.dcm",
        "report.json",
        "overview.png",
        "reconstructions.npz",
    }
)
"""Every file that `detect` may write: a folder that holds nothing else may be replaced."""

_FILES_OF_THE_DESKTOP = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_NO_SPACE = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_NEARLY_NOTHING_BYTES = 64 * 1024
_LONGEST_NAME_KEPT = 200  # bytes, of the 255 that file systems allow: a number comes with it
_MODEL = ("configs/metadata.json", "SHA256SUMS")  # what makes a folder a model

_open_partials: set[Path] = set()
_moving = threading.Lock()


@contextlib.contextmanager
def output_folder(directory: Path) -> Iterator[Path]:
    """Collect results in a temporary folder and move them to `directory` at the end, in one move.

    An empty folder, or one that holds an earlier result and nothing else, is replaced, and its
    permissions stay; parents that do not exist are made, and removed again when the run fails.

    Args:
        directory: where the result shall be.

    Yields:
        The temporary folder, empty, on the same file system.

    Raises:
        InputError: before the block, when `directory` cannot or must not be written; after it, when
            the disk is full. Nothing is left behind then.
    """
    target = _resolved(directory)
    require_utf8(target)
    require_outside_models(target)
    _refuse_what_is_not_ours(target)
    made_parents = _make_parents(target)
    try:
        _clear_up_after_dead_runs(target)
        partial = _make_partial(target)
        try:
            yield partial
            _move_into_place(partial, target)
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise _disk_full(target) from error
            raise
        except RuntimeError as error:  # how the image library says that a file could not be written
            if _is_disk_full(partial):
                raise _disk_full(target) from error
            raise
        finally:
            _discard(partial)
    finally:
        for parent in made_parents:
            with contextlib.suppress(OSError):  # not empty: it holds the result
                parent.rmdir()


def abandon_partial_output() -> None:
    """Remove the temporary folders of this process, which is about to end without unwinding."""
    with _moving:
        for partial in tuple(_open_partials):
            # Renamed first, so that the thread that is still writing cannot fill it again.
            doomed = partial.with_name(partial.name + ".end")
            with contextlib.suppress(OSError):
                partial.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
            shutil.rmtree(partial, ignore_errors=True)


def require_utf8(path: Path) -> None:
    """Refuse a place that ITK cannot write into: given such a name it ends the process.

    Raises:
        InputError: bytes in the name are no UTF-8.
    """
    name = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    if name != str(path):
        raise InputError(
            f"Nothing can be written to {name}: its name is not UTF-8.",
            "Choose a place with another name.",
        )


def require_outside_models(path: Path) -> None:
    """Refuse a place in a pretrained model, which is damaged by any file that it does not list.

    Raises:
        InputError: a folder on the way there, or the place itself, is a model's.
    """
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # said by who writes there
        place = Path(path).resolve()
        for folder in (place, *place.parents):
            if all((folder / name).is_file() for name in _MODEL):
                raise InputError(
                    f"Nothing can be written to {path}: {folder} is a pretrained model.",
                    "Choose a place outside it.",
                )


def _resolved(directory: Path) -> Path:
    try:
        return Path(directory).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"The output folder {str(directory)!r} is no usable path: {error}.",
            "Choose another output folder.",
        ) from error


def _refuse_what_is_not_ours(target: Path) -> None:
    choose = "Choose a new or empty output folder."
    try:
        if not target.exists():
            return
        if not target.is_dir():
            raise InputError(f"The output folder {target} is a file.", choose)
        if os.path.ismount(target):
            raise InputError(
                f"The output folder {target} is the root of a file system: it cannot be replaced.",
                "Name a folder inside it.",
            )
        entries = {entry.name: stat.S_ISREG(entry.lstat().st_mode) for entry in target.iterdir()}
    except OSError as error:
        raise _unwritable(target, error) from error
    ours = RESULT_FILES | _FILES_OF_THE_DESKTOP
    foreign = sorted(name for name, is_file in entries.items() if not is_file or name not in ours)
    if foreign:
        raise InputError(
            f"The output folder {target} holds files that are no result of petanomaly: "
            f"{', '.join(foreign[:3])}{' ...' if len(foreign) > 3 else ''}.",
            choose,
        )
    if entries.keys() - _FILES_OF_THE_DESKTOP and "report.json" not in entries:
        raise InputError(
            f"The output folder {target} is not empty and holds no whole result (no report.json).",
            choose,
        )


def _make_parents(target: Path) -> list[Path]:
    """Make the folders above `target`; returns those made, innermost first."""
    missing = []
    parent = target.parent
    made: list[Path] = []
    try:
        while not parent.exists() and parent != parent.parent:
            missing.append(parent)
            parent = parent.parent
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            made.insert(0, folder)
    except OSError as error:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise _unwritable(target, error) from error
    return made


def _make_partial(target: Path) -> Path:
    partial = target.with_name(f".{_short(target.name)}.partial-{os.getpid()}")
    try:
        partial.mkdir()
        if target.exists():  # from the start: what others may not see there they must not see here
            _take_permissions(partial, target, at_least=stat.S_IRWXU)
    except FileExistsError as error:
        raise InputError(
            f"This program is writing {target} already.", "Choose another output folder."
        ) from error
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise _disk_full(target) from error
        raise _unwritable(target, error) from error
    _open_partials.add(partial)
    return partial


def _take_permissions(folder: Path, of: Path, at_least: int = 0) -> None:
    """Give a folder another's owner, where that is allowed, and mode."""
    found = of.stat()
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(folder, found.st_uid, found.st_gid)
    folder.chmod(stat.S_IMODE(found.st_mode) | at_least)


def _short(name: str) -> str:
    """A name to which a process number can be added: a long one is cut, and stays its own."""
    whole = os.fsencode(name)
    if len(whole) <= _LONGEST_NAME_KEPT:
        return name
    kept = whole[: _LONGEST_NAME_KEPT - 9].decode("utf-8", "ignore")
    return f"{kept}~{hashlib.sha256(whole).hexdigest()[:8]}"


def _move_into_place(partial: Path, target: Path) -> None:
    if _is_disk_full(partial):
        raise _disk_full(target)  # a library may have cut a file short without a word
    for file in partial.rglob("*"):
        if file.is_file():
            _write_through(file)
    earlier = target.with_name(f".{_short(target.name)}.earlier-{os.getpid()}")
    with _moving:
        if target.exists():
            _take_permissions(partial, target)
            target.rename(earlier)
        try:
            partial.rename(target)
        except OSError:
            if earlier.exists():
                earlier.rename(target)
            raise
        _open_partials.discard(partial)
    _remove_earlier(earlier)


def _remove_earlier(earlier: Path) -> None:
    """Remove a result that has been replaced.

    Renamed first: whoever is killed in the midst of removing leaves half of it, which must not come
    back as the result that died between two renames does.
    """
    doomed = earlier.with_name(".partial-".join(earlier.name.rsplit(".earlier-", 1)))
    with contextlib.suppress(OSError):
        earlier.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _write_through(file: Path) -> None:
    """Bring the file to the disk: some file systems tell only now that they are full."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def _discard(partial: Path) -> None:
    with _moving:
        _open_partials.discard(partial)
    shutil.rmtree(partial, ignore_errors=True)


def _clear_up_after_dead_runs(target: Path) -> None:
    for leftover in _leftovers(target, "partial"):
        shutil.rmtree(leftover, ignore_errors=True)
    for leftover in _leftovers(target, "earlier"):
        if target.exists():
            _remove_earlier(leftover)
            continue
        with contextlib.suppress(OSError):
            leftover.rename(target)  # the run died between its two renames: the result comes back


def _leftovers(target: Path, kind: str) -> list[Path]:
    """Hidden folders beside `target` that belong to no process any more."""
    prefix = f".{_short(target.name)}.{kind}-"
    found = []
    try:
        entries = list(target.parent.iterdir())
    except OSError:
        return []
    for entry in entries:
        if not entry.name.startswith(prefix) or entry in _open_partials:
            continue
        owner = entry.name[len(prefix) :].split(".")[0]
        if owner.isdecimal() and (int(owner) == os.getpid() or not is_running(int(owner))):
            found.append(entry)
    return found


def is_running(process: int) -> bool:
    """Whether there is a process of this number on this computer."""
    if sys.platform == "win32":  # os.kill(pid, 0) would end the process there
        import ctypes

        query_limited_information, still_active = 0x1000, 259
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(query_limited_information, False, process)
        if not handle:
            return False
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == still_active
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_disk_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _NEARLY_NOTHING_BYTES
    except OSError:
        return False


def _disk_full(target: Path) -> InputError:
    return InputError(
        f"The disk is full: the results for {target} could not be written.",
        "Free some space or choose an output folder on another disk.",
    )


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(
        f"The output folder {target} cannot be written: {error.strerror or error}.",
        "Choose a folder that you may write to.",
    )


def require_writable(file: Path) -> None:
    """Try a place now rather than after the work; its folder is made.

    Raises:
        InputError: no file can be written there.
    """
    require_utf8(file)
    require_outside_models(file)
    try:
        if file.is_dir():
            raise InputError(f"{file} is a folder.", "Give the name of a file.")
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror or error}.",
            "Choose a folder that you may write to.",
        ) from error


def write_whole(file: Path, text: str) -> None:
    """Write text (UTF-8) in the place of what is there.

    Raises:
        OSError: as where the disk is full; what was there stays.
    """
    partial = file.with_name(f".{_short(file.name)}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
