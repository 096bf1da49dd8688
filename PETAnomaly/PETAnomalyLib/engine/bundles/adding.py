"""A model added for this user, from a folder or a zip file."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from PETAnomalyLib.engine.bundles.archive import unpack
from PETAnomalyLib.engine.bundles.bundle import Bundle, bundle_of, named, verify_bundle
from PETAnomalyLib.engine.bundles.installed import installed_bundles, require_own_name
from PETAnomalyLib.engine.bundles.search import is_shipped, user_folder
from PETAnomalyLib.engine.bundles.staging import staging_folder, written
from PETAnomalyLib.engine.bundles.verification import list_files, verify_files
from PETAnomalyLib.engine.runtime.errors import BundleError
from PETAnomalyLib.engine.runtime.regular_file import open_regular


def add_bundle(source: str | Path) -> Bundle:
    """Verify a model's folder or zip file and install it for this user, whole or not at all.

    Raises:
        BundleError: not a good model, or another one of the same name is installed or shipped.
        InputError: it cannot be written.
    """
    source = Path(source)
    with named(source):
        is_folder = _is_folder(source)
    target = user_folder()
    with written(f"The model cannot be installed in {target}"):
        target.mkdir(parents=True, exist_ok=True)
        with staging_folder(target, "adding") as temporary:
            staged = temporary / "bundle"
            staged.mkdir()
            with named(source):
                if is_folder:
                    _copy(source, staged, list_files(source))
                else:
                    unpack(source, staged)
                bundle = bundle_of(staged, verify_files(staged))
                installed = _installed_already(bundle)
            return installed or _install(staged, bundle, target / bundle.name)


def _is_folder(source: Path) -> bool:
    try:
        mode = source.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        mode = 0
    except OSError as error:
        raise BundleError(f"It cannot be read: {error.strerror}.", "Check the path.") from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise BundleError("There is no such folder or zip file.", "Check the path.")
    return stat.S_ISDIR(mode)


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            file = open_regular(source / name)
        except OSError as error:
            raise BundleError(
                f"{name} cannot be read: {error.strerror or error}.", "Check its permissions."
            ) from error
        with file, (target / name).open("xb") as copy:
            shutil.copyfileobj(file, copy)


def _installed_already(bundle: Bundle) -> Bundle | None:
    """The model itself where it is shipped.

    Raises:
        BundleError: its name is taken.
    """
    earlier = {other.name.lower(): other for other in installed_bundles()}
    require_own_name(bundle, earlier)
    same = earlier.get(bundle.name.lower())
    return verify_bundle(same.path) if same is not None and is_shipped(same.path) else None


def _install(staged: Path, bundle: Bundle, target: Path) -> Bundle:
    if not target.exists():
        staged.rename(target)
        return verify_bundle(target)
    installed = verify_bundle(target)
    if installed.sha256 != bundle.sha256:
        raise BundleError(
            f"Another model named '{bundle.name}' is installed in {target}.",
            "Remove that folder first if the new one shall replace it.",
        )
    return installed
