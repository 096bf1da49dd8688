"""A pretrained model on disk: a folder laid out like a MONAI bundle, and its facts.

A bundle is data: nothing in it is evaluated or imported, its networks are built by name from the
engine's registry and its weights are safetensors. `kinds.py` says which networks there are,
`manifest.py` what the JSON must say, `verification.py` what the files must be; `installed.py` finds
bundles, `adding.py` installs them, `writing.py` makes them. No torch.

    configs/metadata.json   MONAI's metadata and the `petanomaly` section
    models/*.safetensors    weights          models/template.nii.gz   what studies are aligned to
    models/regions.nii.gz   the parts of the body there, where they are known
    models/residual_mean.nii.gz, residual_std.nii.gz   of healthy heads, where they are known
    docs/README.md          the model card   SHA256SUMS               a hash for every other file
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.bundles.verification import SUMS, sums_bytes, verify_files
from PETAnomalyLib.engine.runtime.errors import BundleError
from PETAnomalyLib.engine.runtime.printable import printable
from PETAnomalyLib.engine.scoring.mask_tiles import mask_tiles
from PETAnomalyLib.engine.study.tracer import FDG, Tracer


@dataclass(frozen=True)
class Bundle:
    """A pretrained model, its manifest checked.

    Attributes:
        path: its folder.
        name, title: short name for the command line; one line for people.
        manifest: the whole of configs/metadata.json.
        healer: family and the sizes of its networks.
        weights: name of a network -> safetensors file.
        template: the mean PET (SUV), or the mean brain in the model's intensity, that studies are
            aligned to, on the model's grid.
        size_voxels, spacing_mm: the model's grid along x, y, z (LPS).
        intensity: see `intensity.py`.
        thresholds: resampling, min_bandwidth, epsilon_percentile, and one per scorer.
        scorers: those the model offers, best first.
        ct: "required" or "unused".
        contrast: of the MR that it is of: T1w, T2w or FLAIR; "" of a model of PET.
        template_mask: 1 in the template's brain, on its grid; None of a model of PET.
        postprocessing: of a map before findings are drawn, see `scoring/postprocessing.py`, and
            under `objects` `scoring/objects.py`; None for none.
        normative: files of the mean and of the standard deviation of healthy heads' residuals, see
            `scoring/normative.py`; None where nobody has measured them.
        samples, decodes: healed latents, and dropout decodes of each.
        min_volume_ml: findings smaller than this are left out.
        sha256: hash of SHA256SUMS, and so of every file.
        tracer: what the studies it was made for were injected with.
        familiarity: how studies of its own kind look to it, see `frame/familiarity.py`; None where
            nobody has measured that.
        region_atlas: where in the body a voxel lies, see `frame/region_atlas.py`; or None.
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
    tracer: Tracer = FDG
    familiarity: dict[str, Any] | None = None
    region_atlas: Path | None = None
    contrast: str = ""
    template_mask: Path | None = None
    postprocessing: dict[str, Any] | None = None
    normative: tuple[Path, Path] | None = None

    @property
    def modality(self) -> str:
        """DICOM's word for what it looks at: PT or MR."""
        return "MR" if self.contrast else "PT"

    @property
    def slice_axis(self) -> int:
        """Of D x H x W, that a network of slices works along; axial, 0, where it names none."""
        networks = [sizes for sizes in self.healer.values() if isinstance(sizes, dict)]
        return next((int(sizes["axis"]) for sizes in networks if "axis" in sizes), 0)

    @property
    def mask_tiles(self) -> NDArray[np.int64] | None:
        """Which position hides each pixel of a slice, h x w; None without a mask that moves."""
        networks = [sizes for sizes in self.healer.values() if isinstance(sizes, dict)]
        for sizes in networks:
            if "mask" in sizes:
                return mask_tiles(sizes["size"], sizes["mask"], sizes["patch"])
        return None


def verify_bundle(folder: str | Path) -> Bundle:
    """Check every file of a model: kinds, hashes, manifest, sizes.

    Raises:
        BundleError: naming the folder, the file and, where there is one, the key.
    """
    folder = Path(folder)
    with named(folder):
        return bundle_of(folder, verify_files(folder))


def bundle_of(folder: Path, manifest: dict[str, Any]) -> Bundle:
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
        ct=ours["inputs"].get("ct", "unused"),
        samples=sampling["samples"],
        decodes=sampling["decodes"],
        min_volume_ml=float(ours["min_volume_ml"]),
        sha256=hashlib.sha256(sums_bytes(folder / SUMS)).hexdigest(),
        tracer=_tracer(ours),
        familiarity=ours.get("familiarity"),
        region_atlas=folder / ours["region_atlas"] if "region_atlas" in ours else None,
        contrast=ours["inputs"].get("mr", ""),
        template_mask=folder / frame["mask"] if "mask" in frame else None,
        postprocessing=ours.get("postprocessing"),
        normative=_normative(folder, ours),
    )


def _normative(folder: Path, ours: dict[str, Any]) -> tuple[Path, Path] | None:
    found = ours.get("normative")
    return None if found is None else (folder / found["mean"], folder / found["std"])


def _tracer(ours: dict[str, Any]) -> Tracer:
    if "tracer" not in ours:
        return FDG
    stated = ours["tracer"]
    return Tracer(stated["name"], float(stated["half_life_s"]), stated.get("code", ""))


@contextmanager
def named(source: Path) -> Iterator[None]:
    """Put the folder's or archive's name in front of what is wrong inside it."""
    try:
        yield
    except BundleError as error:
        message = printable(f"Model {source}: {error.message}")
        raise BundleError(message, error.hint) from error
