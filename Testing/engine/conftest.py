"""Small models and a small study, made once a test session."""

from __future__ import annotations

from pathlib import Path

import pytest
from PETAnomalyLib.engine.bundles.bundle import Bundle
from tiny_bundle import NETWORKS, write_tiny_bundle, write_tiny_study


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with SUV.nii.gz, CTres.nii.gz and SEG.nii.gz of a coarse phantom."""
    return write_tiny_study(tmp_path_factory.mktemp("study") / "phantom" / "0")


@pytest.fixture(scope="session")
def tiny_bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """A bundle with random weights of each kind: petct, pet, autoencoder."""
    folder = tmp_path_factory.mktemp("models")
    return {kind: write_tiny_bundle(folder / f"tiny-{kind}", kind) for kind in NETWORKS}
