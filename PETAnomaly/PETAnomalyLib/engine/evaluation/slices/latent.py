"""`petanomaly evaluate --latent`: what a mask does in a network; paper 4's Figures 3, 5 and 6.

Decided where the paper is silent:

- A slice's vector is all that the encoder's last layer gives of it.
- Of each head with a lesion, the slices with most of it; of as many healthy heads, slices at the
  same places. Masked are the patches that hold lesion; healthy slices never are.
- The layers are shown of the slice with the largest lesion, under the one position of the mask that
  holds most of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES, NetworkKind
from PETAnomalyLib.engine.evaluation.slices.heads import HEALTHY, MASS, SEEDS, heads_to_judge
from PETAnomalyLib.engine.evaluation.slices.latent_pictures import (
    LayersRow,
    Panel,
    draw_latent,
    draw_layers,
)
from PETAnomalyLib.engine.evaluation.slices.latent_space import (
    clusters_of,
    ellipse_of,
    in_the_plane,
    require_umap,
    told_apart,
)
from PETAnomalyLib.engine.evaluation.slices.measuring import require_heads_models
from PETAnomalyLib.engine.families.networks import build_network, load_weights
from PETAnomalyLib.engine.families.slice_family import NETWORK
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.head_cohort import heads_in_frame

Array = npt.NDArray[np.float32]

HEADS = {MASS: SEEDS[MASS][:6], HEALTHY: SEEDS[HEALTHY][:6]}
SLICES_A_HEAD = 10
LEAST_SLICES = 4  # of either group: UMAP needs neighbours


@runtime_checkable
class MaskedEncoder(Protocol):
    """A network of slices whose encoder's layers can be looked at with tokens hidden."""

    def encoded(self, images: torch.Tensor, hidden: torch.Tensor) -> list[torch.Tensor]:
        """The output of each layer; `hidden` are booleans of tokens, n x h x w."""

    def decoded(self, code: torch.Tensor) -> torch.Tensor:
        """The slice that the last layer's output becomes."""

    def voxels(self, hidden: torch.Tensor) -> torch.Tensor:
        """Tokens as the pixels that they stand for."""


@dataclass(frozen=True)
class Slices:
    """Of all heads of a group.

    Attributes:
        images: n x h x w.
        lesions: n x h x w booleans.
        places: of each, along its head.
    """

    images: Array
    lesions: npt.NDArray[np.bool_]
    places: list[int]


def latent(
    cohort: Path | None,
    healthy: Path | None,
    models: Sequence[str],
    out: Path,
    reporter: Reporter,
    workers: int | Cluster,
) -> str:
    """Write `latent.png`, `layers.png` and `latent.json`; returns what was found, as Markdown.

    Args:
        cohort: brain MR with lesions; None for masses made by seed, in `out`/heads.
        healthy: brain MR without; None for the cohort's own, or such heads.
        models: one name or folder of a model whose network is a `MaskedEncoder`.
        out: where everything goes.
        reporter: told of the progress.
        workers: processes, or a cluster, that make heads.

    Raises:
        InputError: another model, or too few heads.
        MissingPackageError: umap-learn is not installed.
    """
    bundle = _model(models)
    require_umap()
    heads = heads_to_judge(
        cohort, healthy, out / "heads", HEADS, bundle.contrast, reporter, workers
    )
    with_lesion = [study for some in heads.by_disease.values() for study in some]
    groups: list[list[AlignedStudy]] = []
    for studies in (with_lesion, heads.healthy):
        if not studies:
            raise InputError("there are no healthy heads", "give some with --healthy")
        groups.append(heads_in_frame(bundle, studies, out / "aligned", reporter))
    ill = slices_with_lesion(groups[0], bundle.slice_axis)
    well = slices_at(groups[1], bundle.slice_axis, ill.places)
    if len(ill.places) < LEAST_SLICES:
        raise InputError(
            f"{len(ill.places)} slices with a lesion are too few", "give more heads with --cohort"
        )
    network = load_weights(
        build_network(_kind(bundle), bundle.healer[NETWORK]),
        bundle.weights[NETWORK],
    )
    reporter.stage("latent", "Laying the latent space into the plane")
    out.mkdir(parents=True, exist_ok=True)
    panels = [
        panel_of(network, ill, well, masked, title)
        for masked, title in ((False, "nothing masked"), (True, "lesions masked"))
    ]
    draw_latent(out / "latent.png", panels, bundle.title)
    draw_layers(out / "layers.png", layers_of(network, ill), bundle.title)
    found = {
        "model": {"name": bundle.name, "sha256": bundle.sha256},
        "slices": {"lesion": len(ill.places), "healthy": len(well.places)},
        "panels": {
            panel.title: {
                "told_apart": panel.told_apart,
                "ellipses": [asdict(ellipse) for ellipse in panel.ellipses],
            }
            for panel in panels
        },
    }
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (out / "latent.json").write_text(text, encoding="utf-8")
    return _as_markdown(bundle, panels, len(ill.places))


def _model(models: Sequence[str]) -> Bundle:
    if len(models) != 1:
        raise InputError(
            "--latent shows one model", f"give --model once, of the family {_families_shown()}"
        )
    bundle = find_bundle(models[0])
    require_heads_models([bundle])
    if not issubclass(_kind(bundle).architecture()[0], MaskedEncoder):
        raise InputError(
            f"the model '{bundle.name}' is of the family {bundle.healer['family']}, whose layers "
            "have no tokens that can be masked",
            f"give a model of the family {_families_shown()}",
        )
    return bundle


def _kind(bundle: Bundle) -> NetworkKind:
    return FAMILIES[bundle.healer["family"]].networks[NETWORK]


def _families_shown() -> str:
    """Those whose network is a `MaskedEncoder`."""
    return " or ".join(
        name
        for name, family in FAMILIES.items()
        if NETWORK in family.networks
        and issubclass(family.networks[NETWORK].architecture()[0], MaskedEncoder)
    )


def slices_with_lesion(studies: Sequence[AlignedStudy], axis: int) -> Slices:
    """Of each head the slices with most lesion, `SLICES_A_HEAD` at most."""
    images, lesions, places = [], [], []
    for study in studies:
        if study.lesions is None:
            continue
        inside = np.moveaxis(study.lesions > 0, axis, 0)
        amount = inside.sum(axis=(1, 2))
        for place in sorted(np.argsort(-amount, kind="stable")[:SLICES_A_HEAD]):
            if amount[place]:
                images.append(np.moveaxis(study.image, axis, 0)[place])
                lesions.append(inside[place])
                places.append(int(place))
    return _slices(images, lesions, places)


def slices_at(studies: Sequence[AlignedStudy], axis: int, places: Sequence[int]) -> Slices:
    """One slice for each place, from one head after the other."""
    images = [
        np.moveaxis(studies[n % len(studies)].image, axis, 0)[place]
        for n, place in enumerate(places)
    ]
    return _slices(images, [np.zeros(image.shape, bool) for image in images], places)


def _slices(images: list[Any], lesions: list[Any], places: Sequence[int]) -> Slices:
    if not images:
        raise InputError("no head has a lesion in the model's frame", "give others with --cohort")
    return Slices(np.stack(images).astype(np.float32), np.stack(lesions), list(places))


@torch.inference_mode()
def vectors_of(network: Any, slices: Slices, masked: bool) -> Array:
    """All that the last layer gives, n x d; masked: with the patches hidden that hold lesion."""
    images = torch.from_numpy(slices.images)[:, None]
    lesions = torch.from_numpy(slices.lesions) & masked
    hidden = patches_of(network, lesions)
    parts = zip(images.split(8), hidden.split(8))
    return torch.cat([network.encoded(*part)[-1].flatten(1) for part in parts]).numpy()


def patches_of(network: Any, voxels: torch.Tensor) -> torch.Tensor:
    """The patches that hold any of the voxels: n x h x w booleans of tokens."""
    patch = network.sizes.patch
    extent = [n * patch - size for n, size in zip(network.grid, voxels.shape[1:])]
    whole = torch.nn.functional.pad(voxels.float(), (0, extent[1], 0, extent[0]))
    return torch.nn.functional.max_pool2d(whole[:, None], patch)[:, 0] > 0


def panel_of(network: Any, ill: Slices, well: Slices, masked: bool, title: str) -> Panel:
    """Both groups in the plane, with two clusters and their ellipses."""
    vectors = np.concatenate([vectors_of(network, ill, masked), vectors_of(network, well, False)])
    groups = np.repeat([1, 0], [len(ill.places), len(well.places)])
    points = in_the_plane(vectors)
    clusters = clusters_of(points)
    ellipses = [ellipse_of(points[clusters == n]) for n in np.unique(clusters)]
    return Panel(title, points, groups, ellipses, told_apart(clusters, groups))


@torch.inference_mode()
def layers_of(network: Any, ill: Slices) -> list[LayersRow]:
    """The slice with the largest lesion, as it is and under the mask."""
    one = int(ill.lesions.sum(axis=(1, 2)).argmax())
    image = torch.from_numpy(ill.images[one])[None, None]
    rows, columns = image.shape[-2:]
    inside = network.tiles[:rows, :columns][torch.from_numpy(ill.lesions[one])]
    tile = int(inside.bincount().argmax())
    step = network.sizes.patch
    under = (network.tiles == tile)[None, ::step, ::step]
    result = []
    for title, hidden in (("as it is", torch.zeros_like(under)), ("masked", under)):
        layers = network.encoded(image, hidden)
        predicted = network.decoded(layers[-1])
        seen = image.masked_fill(network.voxels(hidden), 0.0)
        residual = (image - predicted).abs()
        result.append(
            LayersRow(
                title,
                [part[0, 0].numpy() for part in (seen, predicted, residual)],
                [layer[0].mean(-1).numpy() for layer in layers],
            )
        )
    return result


def _as_markdown(bundle: Bundle, panels: Sequence[Panel], count: int) -> str:
    lines = [
        f"Latent space of {bundle.name}: {count} slices with a lesion and as many without.",
        "",
        "| | points in the cluster that is mostly of their group |",
        "|---|---|",
        *(f"| {panel.title} | {100 * panel.told_apart:.0f} % |" for panel in panels),
        "",
    ]
    return "\n".join(lines)
