"""A model that is verified once and loaded once, for many studies one after the other."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle

if TYPE_CHECKING:  # torch comes with these; a detection imports it after the study has been read
    import torch

    from PETAnomalyLib.engine.families.healer import Healer


class LoadedModel:
    """A bundle, and its healer, which stays from study to study.

    Args:
        bundle: verified.

    Example:
        model = LoadedModel(find_bundle("petct-phantom"))
        for pet, ct, out in studies:
            detect(pet, ct, out, settings, reporter, model)
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._healer: Healer | None = None
        self._device: torch.device | None = None

    def healer(self, device: torch.device) -> Healer:
        """The healer with its weights on this device.

        Raises:
            BundleError: weights that do not fit what the manifest describes.
        """
        if self._healer is None or self._device != device:
            from PETAnomalyLib.engine.families.networks import build_healer

            self.forget()  # two would need twice the memory
            self._healer, self._device = build_healer(self.bundle, device), device
        return self._healer

    def forget(self) -> None:
        """Let the healer go: memory ran out, or its networks were moved."""
        self._healer = self._device = None


@lru_cache(maxsize=1)
def model_of_process(folder: Path, sha256: str) -> LoadedModel:  # noqa: ARG001 - of a changed one
    """The model that this process works with: found and loaded once, until it is another one.

    Args:
        folder: of the bundle.
        sha256: hash of all its files.
    """
    return LoadedModel(find_bundle(folder))
