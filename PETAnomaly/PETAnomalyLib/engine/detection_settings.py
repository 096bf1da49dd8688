"""What a user may choose of a detection, and what the bundle says where nothing was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import DEFAULT_MODEL
from PETAnomalyLib.engine.runtime.errors import InputError


@dataclass(frozen=True)
class DetectionSettings:
    """What a user may choose; None means what the bundle was calibrated for.

    Attributes:
        model: name or folder of a bundle.
        scorer: `kde`, `zscore` or `residual`: the map that the findings are drawn from.
        samples: N healed latents.
        decodes: K dropout decodes of each.
        seed: of all random numbers.
        device: `auto`, `cpu`, `cuda`, `cuda:i` or `mps`.
        threshold: of the scorer's map, in the map's unit.
        grow: fraction of a finding's own SUVmax that it grows to; 0 for no growing.
        min_volume_ml: smaller findings are left out.
        elevated_only: only uptake above the mean reconstruction counts.
        keep_reconstructions: write `reconstructions.npz`.
        anonymous: write no name of a file, and nothing else that leads back to the patient.
        dicom: also write the findings as DICOM; the PET must be DICOM.
        anyway: go on where the study does not fit the model.
        time_budget: wall-clock seconds of the whole; where they are too few, samples are left out.
    """

    model: str = DEFAULT_MODEL
    scorer: str | None = None
    samples: int | None = None
    decodes: int | None = None
    seed: int = 0
    device: str = "auto"
    threshold: float | None = None
    grow: float = 0.4
    min_volume_ml: float | None = None
    elevated_only: bool = True
    keep_reconstructions: bool = False
    anonymous: bool = False
    dicom: bool = False
    anyway: bool = False
    time_budget: float | None = None


@dataclass(frozen=True)
class ResolvedSettings:
    """The settings with the bundle's own values filled in: what is written into the report."""

    scorer: str
    samples: int
    decodes: int
    seed: int
    resampling_threshold: float
    min_bandwidth: float
    epsilon_percentile: float
    threshold: float
    grow: float
    min_volume_ml: float
    elevated_only: bool
    time_budget: float | None


def resolve(settings: DetectionSettings, bundle: Bundle) -> ResolvedSettings:
    """Fill in what the bundle was calibrated for.

    Raises:
        InputError: a scorer that the model cannot give.
    """
    scorer = settings.scorer or bundle.scorers[0]
    if scorer not in bundle.scorers:
        raise InputError(
            f"the model '{bundle.name}' cannot give the scorer '{scorer}'",
            f"it offers {', '.join(bundle.scorers)}"
            + ("" if scorer not in ("kde", "zscore") else
               "; KDE and Z-score need several reconstructions, and this model makes one"),
        )  # fmt: skip
    thresholds = bundle.thresholds
    return ResolvedSettings(
        scorer=scorer,
        samples=settings.samples or bundle.samples,
        decodes=settings.decodes or bundle.decodes,
        seed=settings.seed,
        # A model with a single reconstruction has none of these, and scores without them.
        resampling_threshold=thresholds.get("resampling", 0.0),
        min_bandwidth=thresholds.get("min_bandwidth", 0.0),
        epsilon_percentile=thresholds.get("epsilon_percentile", 0.0),
        threshold=(
            thresholds["scorers"][scorer] if settings.threshold is None else settings.threshold
        ),
        grow=settings.grow if bundle.modality == "PT" else 0.0,  # MR has no unit to grow by
        min_volume_ml=(
            bundle.min_volume_ml if settings.min_volume_ml is None else settings.min_volume_ml
        ),
        elevated_only=settings.elevated_only
        and not (bundle.postprocessing or {}).get("darker_too", False),
        time_budget=settings.time_budget,
    )


def require_device(name: str) -> None:
    """Refuse a device that is not there, before minutes are spent.

    Raises:
        InputError: this computer or its torch has none of that name.
    """
    if name not in ("auto", "cpu"):  # whether others are there, only torch knows
        from PETAnomalyLib.engine.runtime.devices import choose_device

        choose_device(name)
