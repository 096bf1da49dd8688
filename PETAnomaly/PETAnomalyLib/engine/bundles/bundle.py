"""Pretrained models: folders laid out like a MONAI bundle. Find, verify, install and write them.

A bundle is data: nothing in it is evaluated or imported, its networks are built by name from the
engine's registry and its weights are safetensors. `kinds.py` says which networks there are,
`manifest.py` what the JSON must say, `verification.py` what the files must be. No torch.

    configs/metadata.json   MONAI's metadata and the `petanomaly` section
    models/*.safetensors    weights          models/template.nii.gz   what studies are aligned to
    docs/README.md          the model card   SHA256SUMS               a hash for every other file
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.bundles.archive import unpack
from PETAnomalyLib.engine.bundles.manifest import check_manifest, read_manifest
from PETAnomalyLib.engine.bundles.search import (
    is_shipped,
    model_folders,
    names_of_shipped_folders,
    search_folders,
    user_folder,
)
from PETAnomalyLib.engine.bundles.staging import staging_folder
from PETAnomalyLib.engine.bundles.verification import (
    SUMS,
    file_hash,
    list_files,
    sums_bytes,
    verify_files,
)
from PETAnomalyLib.engine.runtime.errors import BundleError, InputError
from PETAnomalyLib.engine.runtime.printable import printable
from PETAnomalyLib.engine.runtime.regular_file import open_regular

DEFAULT_MODEL = "petct-phantom"


@dataclass(frozen=True)
class Bundle:
    """A pretrained model, its manifest checked.

    Attributes:
        path: its folder.
        name, title: short name for the command line; one line for people.
        manifest: the whole of configs/metadata.json.
        healer: family and the sizes of its networks.
        weights: name of a network -> safetensors file.
        template: the mean PET (SUV) that studies are aligned to, on the model's grid.
        size_voxels, spacing_mm: the model's grid along x, y, z (LPS).
        intensity: see `intensity.py`.
        thresholds: resampling, min_bandwidth, epsilon_percentile, and one per scorer.
        scorers: those the model offers, best first.
        ct: "required" or "unused".
        samples, decodes: healed latents, and dropout decodes of each.
        min_volume_ml: findings smaller than this are left out.
        sha256: hash of SHA256SUMS, and so of every file.
    """

    path: Path
    name: str
    title: str
    manifest: dict[str, Any]
    healer: dict[str, Any]
    weights: dict[str, Path]
    template: Path
    size_voxels: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    intensity: dict[str, Any]
    thresholds: dict[str, Any]
    scorers: tuple[str, ...]
    ct: str
    samples: int
    decodes: int
    min_volume_ml: float
    sha256: str


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


def verify_bundle(folder: str | Path) -> Bundle:
    """Check every file of a model: kinds, hashes, manifest, sizes.

    Raises:
        BundleError: naming the folder, the file and, where there is one, the key.
    """
    folder = Path(folder)
    with _named(folder):
        return _bundle(folder, verify_files(folder))


def add_bundle(source: str | Path) -> Bundle:
    """Verify a model's folder or zip file and install it for this user, whole or not at all.

    Raises:
        BundleError: not a good model, or another one of the same name is installed or shipped.
        InputError: it cannot be written.
    """
    source = Path(source)
    target = user_folder()
    with _written(f"The model cannot be installed in {target}"):
        target.mkdir(parents=True, exist_ok=True)
        with staging_folder(target, "adding") as temporary:
            staged = temporary / "bundle"
            staged.mkdir()
            with _named(source):
                _stage(source, staged)
                bundle = _bundle(staged, verify_files(staged))
                installed = _installed_already(bundle)
            return installed or _install(staged, bundle, target / bundle.name)


def write_bundle(
    folder: str | Path,
    manifest: Mapping[str, Any],
    weights: Mapping[str, Path],
    template: Path,
    readme: str,
    license_text: str | None = None,
    calibration: Path | None = None,
) -> Bundle:
    """Write a new model's folder from its parts; the same parts give the same bytes.

    Args:
        folder: where; must not exist yet.
        manifest: what becomes configs/metadata.json, checked first.
        weights: name of a network -> its safetensors file; copied to the manifest's paths.
        template: the mean PET as NIfTI; copied to the manifest's path.
        readme: the model card, Markdown.
        license_text: what becomes LICENSE, if given.
        calibration: copied to configs/calibration.json, if given: the curve behind each threshold.

    Raises:
        BundleError: the parts do not make a good model. Nothing is left behind.
        InputError: the folder exists or cannot be written.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already.", "Remove it first, or name another folder.")
    manifest = json.loads(json.dumps(manifest))  # as it will be read: tuples become lists
    check_manifest(manifest)
    ours = manifest["petanomaly"]
    missing = sorted(set(ours["weights"]) ^ set(weights))
    if missing:
        raise BundleError(
            f"configs/metadata.json, key petanomaly.weights.{missing[0]}: stands only in the "
            "manifest or only among the files.",
            "Give one safetensors file for each network of the manifest.",
        )
    with _written(f"The model cannot be written to {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with staging_folder(folder.parent, "writing") as temporary:
            staged = temporary / "bundle"
            for name in ("configs", "docs", "models"):
                (staged / name).mkdir(parents=True)
            text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
            _write_text(staged / "configs" / "metadata.json", text + "\n")
            _write_text(staged / "docs" / "README.md", readme)
            if license_text is not None:
                _write_text(staged / "LICENSE", license_text)
            if calibration is not None:
                shutil.copyfile(calibration, staged / "configs" / "calibration.json")
            for network, name in ours["weights"].items():
                shutil.copyfile(weights[network], staged / name)
            shutil.copyfile(template, staged / ours["frame"]["template"])
            lines = [f"{file_hash(staged / name)}  {name}\n" for name in list_files(staged)]
            _write_text(staged / SUMS, "".join(lines))
            verify_files(staged)
            staged.rename(folder)
    return verify_bundle(folder)


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
                with _named(path):
                    bundle = _bundle(path, read_manifest(path / "configs" / "metadata.json"))
                    _require_own_name(bundle, bundles)
            except BundleError as error:
                damaged.append((path, error))
            else:
                bundles.setdefault(bundle.name.lower(), bundle)
    return list(bundles.values()), damaged


def _require_own_name(bundle: Bundle, earlier: Mapping[str, Bundle]) -> None:
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


def _bundle(folder: Path, manifest: dict[str, Any]) -> Bundle:
    """The facts of a checked manifest."""
    ours = manifest["petanomaly"]
    frame, sampling = ours["frame"], ours["sampling"]
    return Bundle(
        path=folder,
        name=manifest["name"],
        title=ours["title"],
        manifest=manifest,
        healer=ours["healer"],
        weights={network: folder / name for network, name in ours["weights"].items()},
        template=folder / frame["template"],
        size_voxels=tuple(frame["size_voxels"]),
        spacing_mm=tuple(float(mm) for mm in frame["spacing_mm"]),  # type: ignore[arg-type]  # three
        intensity=ours["intensity"],
        thresholds=ours["thresholds"],
        scorers=tuple(ours["scorers"]),
        ct=ours["inputs"]["ct"],
        samples=sampling["samples"],
        decodes=sampling["decodes"],
        min_volume_ml=float(ours["min_volume_ml"]),
        sha256=hashlib.sha256(sums_bytes(folder / SUMS)).hexdigest(),
    )


def _stage(source: Path, staged: Path) -> None:
    try:
        mode = source.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        mode = 0
    except OSError as error:
        raise BundleError(f"It cannot be read: {error.strerror}.", "Check the path.") from error
    if stat.S_ISDIR(mode):
        _copy(source, staged, list_files(source))
    elif stat.S_ISREG(mode):
        unpack(source, staged)
    else:
        raise BundleError("There is no such folder or zip file.", "Check the path.")


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
    _require_own_name(bundle, earlier)
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


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))  # no line-ending translation: the hash counts bytes


@contextmanager
def _written(failure: str) -> Iterator[None]:
    """Say in these words that a folder or a file could not be written."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{failure}: {error.strerror or error}.",
            "Check the permissions of that folder and the free disk space.",
        ) from error


@contextmanager
def _named(source: Path) -> Iterator[None]:
    """Put the folder's or archive's name in front of what is wrong inside it."""
    try:
        yield
    except BundleError as error:
        message = printable(f"Model {source}: {error.message}")
        raise BundleError(message, error.hint) from error
