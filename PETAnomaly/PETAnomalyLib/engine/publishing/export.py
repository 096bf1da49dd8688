"""From finished training runs to a bundle: `petanomaly export`.

The export configuration is JSON: what cannot be learnt (name, title, texts, thresholds), and which
run each network comes from:

    {"family": "vqgan-performer", "networks": {"pet_vqgan": "pet-vqgan", ...}, "thresholds": {...},
     "scorers": ["kde", ...], "sampling": {"samples": 16, "decodes": 4}, "min_volume_ml": 0.5,
     "metadata": {"name": ..., "petanomaly title": ..., ...}, "card": "docs/README.md's text file"}

`"sizes": {"autoencoder": {"mask": 24}}` takes the place of a size that healing alone depends on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES, STAGES, Family
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.json_section import Section
from PETAnomalyLib.engine.training.configuration import read_section
from PETAnomalyLib.engine.training.head_template import MASK_NAME
from PETAnomalyLib.engine.training.stage import PICTURES

METADATA_SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/"
    "0.8.1/meta_schema_20240725.json"
)


def export(config: Path, models: Path, out: Path, calibration: Path | None = None) -> Bundle:
    """Write the bundle that `config` describes from the runs under `models`.

    Args:
        config: the export configuration.
        models: the folder that holds the runs and `template.nii.gz`.
        out: the bundle's folder; must not exist.
        calibration: what `petanomaly calibrate` wrote; its thresholds take the place of the
            configuration's, and it goes into the bundle with the curve behind each; its studies
            are named after patients' folders and are given by their number alone.

    Raises:
        InputError: a missing run, file or key, a folder that cannot be written.
        BundleError: the parts do not make a good model.
    """
    settings = read_section(config)
    calibrated = None if calibration is None else read_section(calibration)
    thresholds = (calibrated or settings).section("thresholds")
    for key in ("title", "scorers", "sampling", "min_volume_ml"):
        settings.value(key)
    family = FAMILIES[settings.choice("family", tuple(FAMILIES))]
    settings.section("metadata")
    card = config.parent / settings.text("card", 255)
    runs = _runs(settings.section("networks"), models)
    atlas = _region_atlas(calibrated, calibration)
    normative = _normative(calibrated, calibration)
    whole = runs.get(family.whole_study)
    if whole is None:
        raise settings.error("networks", f"names no {family.whole_study}")
    if any(PICTURES in run.file.values for run in runs.values()):
        raise settings.error("networks", "names a run of pictures, and a model is of volumes")
    contrast = whole.contrast
    mask = models / MASK_NAME if contrast else None
    for needed, remedy in (
        *((run.weights, "train it to the end") for run in runs.values()),
        (models / "template.nii.gz", "it is made by the first stage that is trained"),
        (card, f"write it, or name another one in {config}"),
        *([] if mask is None else [(mask, "it is made with the template")]),
        *([] if atlas is None else [(atlas, "make it with calibrate --regions")]),
        *((file, "make it with calibrate --normative") for file in normative or ()),
    ):
        if not needed.is_file():
            raise InputError(f"{needed} does not exist", remedy)
    return write_bundle(
        out,
        manifest(
            {
                **settings.values,
                "thresholds": thresholds.values,
                **_familiarity(calibrated),
                **({} if atlas is None else {"region_atlas": "models/regions.nii.gz"}),
                **_with_norms(settings, calibrated),
            },
            family,
            contrast=contrast,
            sizes=_sizes(runs, settings, family),
            frame=whole.file.section("frame").values,
            intensity=whole.file.section("intensity").values,
        ),
        {network: run.weights for network, run in runs.items()},
        models / "template.nii.gz",
        card.read_text(encoding="utf-8"),
        calibration=None if calibrated is None else _without_names(calibrated.values),
        region_atlas=atlas,
        template_mask=mask,
        normative=normative,
    )


def _region_atlas(calibrated: Section | None, calibration: Path | None) -> Path | None:
    """The file that `calibrate --regions` has written beside its JSON; None where it has not."""
    if calibrated is None or calibration is None or "region_atlas" not in calibrated.values:
        return None
    return calibration.parent / Path(calibrated.section("region_atlas").text("file", 255)).name


def _normative(calibrated: Section | None, calibration: Path | None) -> tuple[Path, Path] | None:
    """The files that `calibrate --normative` has written beside its JSON."""
    if calibrated is None or calibration is None or "normative" not in calibrated.values:
        return None
    found = calibrated.section("normative")
    mean, std = (calibration.parent / Path(found.text(name, 255)).name for name in ("mean", "std"))
    return mean, std


def _with_norms(settings: Section, calibrated: Section | None) -> dict[str, Any]:
    """With norms the Z-score comes first: it is told apart from what is missed in everyone."""
    if calibrated is None or "normative" not in calibrated.values:
        return {}
    others = [name for name in settings.values["scorers"] if name != "zscore"]
    return {
        "scorers": ["zscore", *others],
        "normative": {
            "heads": calibrated.section("normative").value("heads"),
            "mean": "models/residual_mean.nii.gz",
            "std": "models/residual_std.nii.gz",
        },
    }


def _familiarity(calibrated: Section | None) -> dict[str, Any]:
    found = {} if calibrated is None else calibrated.values
    return {name: found[name] for name in ("familiarity",) if name in found}


def _sizes(runs: Mapping[str, _Run], settings: Section, family: Family) -> dict[str, Any]:
    """Of each network its run's, but for those that the settings choose for healing."""
    sizes = {network: run.sizes for network, run in runs.items()}
    if "sizes" not in settings.values:
        return sizes
    chosen = settings.section("sizes")
    for network in chosen.values:
        if network not in sizes:
            raise chosen.error(network[:60], "is none of the networks")
        part, known = chosen.section(network), family.networks[network].of_healing
        for name in part.values:
            if name not in known:
                raise part.error(
                    name[:60],
                    "is not chosen here, but trained with; "
                    + (f"free are {', '.join(known)}" if known else "no size is free"),
                )
        sizes[network] = {**sizes[network], **part.values}
    return sizes


def _without_names(calibrated: Mapping[str, Any]) -> dict[str, Any]:
    studies = calibrated.get("studies")
    return {**calibrated, "studies": len(studies) if isinstance(studies, list) else 0}


@dataclass(frozen=True)
class _Run:
    """A training run: its configuration, which stage that is of, and what came of it."""

    file: Section
    stage: str
    weights: Path

    @property
    def contrast(self) -> str:
        inputs = self.file.values.get("inputs", {})
        return str(inputs.get("mr", "")) if isinstance(inputs, dict) else ""

    @property
    def sizes(self) -> dict[str, Any]:
        return self.file.section(self.stage).section("sizes").values


def _runs(networks: Section, models: Path) -> dict[str, _Run]:
    """Name of a network -> its run."""
    runs = {}
    for network in networks.values:
        folder = models / networks.text(network, 255)
        file = read_section(folder / "config.json")
        stage = next((stage for stage in STAGES if stage in file.values), None)
        if stage is None:
            raise file.error("", f"has no section of a stage ({', '.join(STAGES)})")
        runs[network] = _Run(file, stage, folder / "weights.safetensors")
    return runs


def manifest(
    settings: Mapping[str, Any],
    family: Family,
    *,
    contrast: str = "",
    sizes: Mapping[str, Mapping[str, Any]],
    frame: Mapping[str, Any],
    intensity: Mapping[str, Any],
) -> dict[str, Any]:
    """`configs/metadata.json`: MONAI's metadata schema and the `petanomaly` section.

    Args:
        settings: the export configuration.
        family: the model's.
        contrast: of the MR that the model is of; "" where it is of PET.
        sizes: name of a network -> its sizes.
        frame: `spacing_mm` and `size_voxels` along x, y, z.
        intensity: how SUV and HU become the model's intensities.
    """
    with_ct = any(network in sizes for network in family.networks_with_ct)
    return {
        "schema": METADATA_SCHEMA,
        "monai_version": metadata.version("monai"),
        "pytorch_version": metadata.version("torch").split("+")[0],
        "numpy_version": metadata.version("numpy"),
        "required_packages_version": {"safetensors": metadata.version("safetensors")},
        **settings["metadata"],
        "network_data_format": _data_format(frame["size_voxels"], with_ct, contrast),
        "petanomaly": {
            "format": 1,
            "title": settings["title"],
            "inputs": {"mr": contrast}
            if contrast
            else {"pet": "required", "ct": "required" if with_ct else "unused"},
            "healer": {"family": family.name, **sizes},
            "weights": {name: f"models/{name}.safetensors" for name in sizes},
            "frame": {
                **frame,
                "orientation": "LPS",
                "template": "models/template.nii.gz",
                **({"mask": f"models/{MASK_NAME}"} if contrast else {}),
            },
            "intensity": intensity,
            "thresholds": settings["thresholds"],
            "scorers": settings["scorers"],
            "sampling": settings["sampling"],
            "min_volume_ml": settings["min_volume_ml"],
            **{
                name: settings[name]
                for name in ("region_atlas", "familiarity", "postprocessing", "normative")
                if name in settings
            },
        },
    }


def _data_format(size_voxels: list[int], with_ct: bool, contrast: str) -> dict[str, Any]:
    image = {
        "type": "image",
        "num_channels": 1,
        "spatial_shape": size_voxels,
        "dtype": "float32",
        "is_patch_data": False,
    }
    pet = {
        **image, "format": "SUVbw", "modality": "PT", "value_range": [0, 100],
        "channel_def": {"0": "FDG uptake, SUVbw in g/ml"},
    }  # fmt: skip
    ct = {
        **image, "format": "hounsfield", "modality": "CT", "value_range": [-1024, 3071],
        "channel_def": {"0": "CT, HU"},
    }  # fmt: skip
    reconstruction = {
        **image, "format": "SUVbw", "modality": "PT", "value_range": [0, 1],
        "channel_def": {"0": "pseudo-healthy reconstruction, the model's intensity unit"},
    }  # fmt: skip
    if contrast:
        brain = f"{contrast} of the brain, the model's intensity unit"
        mr = {
            **image, "format": "magnitude", "modality": "MR", "value_range": [0, 1],
            "channel_def": {"0": brain},
        }  # fmt: skip
        return {"inputs": {"mr": mr}, "outputs": {"pred": mr}}
    return {
        "inputs": {"pet": pet, "ct": ct} if with_ct else {"pet": pet},
        "outputs": {"pred": reconstruction},
    }
