"""Which models are installed, and finding one by its name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from PETAnomalyLib.engine.bundles.bundle import Bundle, bundle_of, named, verify_bundle
from PETAnomalyLib.engine.bundles.manifest import read_manifest
from PETAnomalyLib.engine.bundles.search import (
    is_shipped,
    model_folders,
    names_of_shipped_folders,
    search_folders,
)
from PETAnomalyLib.engine.runtime.errors import BundleError
from PETAnomalyLib.engine.runtime.printable import printable

DEFAULT_MODEL = "petct-phantom"


def installed_bundles() -> list[Bundle]:
    """The models that are installed and whose manifest can be read; the first of a name counts, and
    the name of a model that is shipped is its own.

    Only manifests are read, no hash is computed: see `verify_bundle`, `damaged_bundles`.
    """
    return _survey()[0]


def damaged_bundles() -> list[BundleError]:
    """Why `installed_bundles` leaves out a model: damaged, or its name is another's."""
    return [error for _, error in _survey()[1]]


def find_bundle(name_or_dir: str | Path) -> Bundle:
    """An installed model by name, or any model by its folder; verified file by file.

    Raises:
        BundleError: unknown, or not as it must be.
    """
    bundles, damaged = _survey()
    text = str(name_or_dir)
    for bundle in bundles:
        if bundle.name == text:
            return verify_bundle(bundle.path)
    for folder, error in damaged:
        if folder.name == text:
            raise error
    with suppress(OSError):  # as of a name that is too long for a file
        if Path(text).is_dir():
            return verify_bundle(Path(text))
    names = ", ".join(bundle.name for bundle in bundles) or "none"
    raise BundleError(
        f"There is no model '{printable(text[:200])}'. Installed: {names}.",
        "Choose one of these, name a model's folder, or install one: petanomaly models add.",
    )


def _survey() -> tuple[list[Bundle], list[tuple[Path, BundleError]]]:
    bundles: dict[str, Bundle] = {}
    damaged: list[tuple[Path, BundleError]] = []
    for folder in search_folders():
        try:
            found = model_folders(folder)
        except BundleError as error:
            damaged.append((folder, error))
            continue
        for path in found:
            try:
                with named(path):
                    bundle = bundle_of(path, read_manifest(path / "configs" / "metadata.json"))
                    require_own_name(bundle, bundles)
            except BundleError as error:
                damaged.append((path, error))
            else:
                bundles.setdefault(bundle.name.lower(), bundle)
    return list(bundles.values()), damaged


def require_own_name(bundle: Bundle, earlier: Mapping[str, Bundle]) -> None:
    """Raises:
    BundleError: another model has the bundle's name.
    """
    if whose := _whose_name(bundle, earlier):
        raise BundleError(
            f"Another model named '{bundle.name}' is installed: {whose}.",
            "Give this one another name, or name its folder where a model is asked for.",
        )


def _whose_name(bundle: Bundle, earlier: Mapping[str, Bundle]) -> str:
    """Which other model has this one's name already, in words; empty where none has.

    The same model twice does no harm. Names that only case tells apart are one.

    Args:
        bundle: the newcomer.
        earlier: those found before it, by name in lower case.
    """
    name = bundle.name.lower()
    other = earlier.get(name)
    if other is not None and other.sha256 == bundle.sha256:
        return ""
    shipped = {DEFAULT_MODEL, *names_of_shipped_folders()}
    if other is not None and is_shipped(other.path):
        shipped.add(name)
    if not is_shipped(bundle.path) and name in shipped:
        return "a model that is shipped with PETAnomaly"
    return f"the one in {other.path}" if other is not None else ""
