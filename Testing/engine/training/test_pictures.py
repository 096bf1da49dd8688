"""Pictures through the stages of training, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.phantom.texture.cohort import write_texture_cohort
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.picture_cohort import find_category
from PETAnomalyLib.engine.training.augmentation import placed_anew
from PETAnomalyLib.engine.training.configuration import read_stage
from PETAnomalyLib.engine.training.pictures import training_pictures
from repository import MODULE

FAMILIES = MODULE / "PETAnomalyLib" / "engine" / "families"
CONFIGURATIONS = FAMILIES / "vqgan_performer" / "configs"
PICTURES = {"size": [32, 32], "channels": 3}
VQVAE = {"channels": [4, 4], "codebook": 16, "code_length": 4, "residual_blocks": 1,
         "spatial_dims": 2, "image_channels": 3}  # fmt: skip
STAGES: dict[str, dict[str, Any]] = {
    "vqgan": {"modality": "picture", "sizes": VQVAE, "steps": 3, "batch": 2, "crop": 24,
              "adversarial_weight": 0.0, "perceptual_weight": 0.0, "gamma": 0.5},
    "transformer": {"pet_vqgan": "vqgan", "steps": 3, "dropout": 0.1, "masking_rounds": [0.3],
                    "sizes": {"grid": [8, 8], "codebook": 16, "context_codebook": 0, "layers": 1,
                              "heads": 2, "width": 8, "features": 4}},
    "ae-dense": {"steps": 2, "batch": 2,
                 "sizes": {"size": [32, 32], "channels": [4], "narrow": 2, "code": 4}},
}  # fmt: skip


@pytest.fixture(scope="module")
def category(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("textures")
    write_texture_cohort(folder, 4, 1, healthy=True, categories=("grid",))
    return folder / "grid"


def configuration(folder: Path, stage: str, **changes: Any) -> Path:
    whole = {"pictures": PICTURES, stage: STAGES[stage], **changes}
    path = folder / f"{stage}.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def trained(folder: Path, category: Path, stage: str) -> int:
    file = configuration(folder, stage)
    runs = ["--out", str(folder / "runs" / stage)]
    return main(["train", stage, "--cohort", str(category), "--config", str(file), *runs])


def test_every_stage_of_pictures_trains_without_a_template(category: Path, tmp_path: Path) -> None:
    for stage in STAGES:
        assert trained(tmp_path, category, stage) == 0, stage
        run = tmp_path / "runs" / stage
        assert (run / "weights.safetensors").is_file()
        assert (run / "curves.png").is_file()
    assert not (tmp_path / "runs" / "template.nii.gz").exists()


def test_runs_of_pictures_are_not_exported_as_a_model(
    category: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(tmp_path, category, "ae-dense") == 0
    settings = {
        "family": "ae-dense", "networks": {"autoencoder": "ae-dense"}, "title": "t",
        "scorers": ["residual"], "sampling": {}, "min_volume_ml": 1, "metadata": {},
        "thresholds": {}, "card": "card.md",
    }  # fmt: skip
    config = tmp_path / "export.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    asked = ["export", "--config", str(config), "--runs", str(tmp_path / "runs")]
    assert main([*asked, "--out", str(tmp_path / "model")]) == 2
    assert "names a run of pictures" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_a_picture_that_cannot_be_read_is_named_and_left_out(
    category: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "grid" / "train" / "good"
    copy.mkdir(parents=True)
    for path in (category / "train" / "good").iterdir():
        (copy / path.name).symlink_to(path)
    (copy / "0000000.png").write_bytes(b"nothing")
    told: list[str] = []

    class Listening(SilentReporter):
        def log(self, level: str, message: str) -> None:
            told.append(f"{level}: {message}")

    training, held_out = training_pictures(find_category(tmp_path / "grid"), (1, 32, 32),
                                           Listening())  # fmt: skip
    assert (len(training), len(held_out)) == (3, 1)
    assert training[0].image.shape == (1, 32, 32)
    assert any("warning: grid/train/good/0000000 left out" in one for one in told)
    for path in sorted(copy.iterdir())[1:]:
        path.unlink()
    with pytest.raises(InputError, match="0 of the pictures"):
        training_pictures(find_category(tmp_path / "grid"), (1, 32, 32), SilentReporter())


@pytest.mark.parametrize(
    ("stage", "changes", "words"),
    [
        ("vqgan", {"frame": {}}, "frame: is of volumes"),
        ("vqgan", {"pictures": {"size": [32, 32], "channels": 2}}, "pictures.channels: must be 1"),
        ("vqgan", {"pictures": {"size": [32, 30], "channels": 3}}, "does not divide by 4"),
        ("vqgan", {"pictures": {**PICTURES, "depth": 1}}, "pictures.depth: is unknown"),
        ("vqgan", {"pictures": {"size": [32, 32], "channels": 1}}, "image_channels: is 3, of 1"),
        (
            "vqgan",
            {"vqgan": {**STAGES["vqgan"], "sizes": {**VQVAE, "spatial_dims": 3}}},
            "spatial_dims: is 3, and must be 2",
        ),
        ("vqgan", {"vqgan": {**STAGES["vqgan"], "crop": 64}}, "crop: is more than"),
        ("vqgan", {"vqgan": {**STAGES["vqgan"], "modality": "pet"}}, "modality: is not what"),
        (
            "transformer",
            {"transformer": {**STAGES["transformer"], "ct_vqgan": "other"}},
            "ct_vqgan: is of volumes",
        ),
        ("ae-dense", {"pictures": {"size": [64, 64], "channels": 3}}, "slices have"),
    ],
)
def test_configurations_that_do_not_fit_pictures_are_refused(
    tmp_path: Path, stage: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_stage(configuration(tmp_path, stage, **changes), stage)


def test_a_stage_of_volumes_alone_refuses_pictures(tmp_path: Path) -> None:
    path = tmp_path / "autoencoder.json"
    whole = {"pictures": PICTURES, "autoencoder": {"sizes": {}, "steps": 1, "batch": 1}}
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(InputError, match="nothing that the stage 'autoencoder' trains on"):
        read_stage(path, "autoencoder")


def test_a_transformer_of_other_pictures_than_its_vqvae_is_refused(
    category: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(tmp_path, category, "vqgan") == 0
    file = configuration(tmp_path, "transformer", pictures={"size": [64, 64], "channels": 3})
    out = str(tmp_path / "runs" / "t")
    asked = ["train", "transformer", "--cohort", str(category), "--config", str(file)]
    assert main([*asked, "--out", out]) == 2
    assert "run of other pictures" in capsys.readouterr().err


def test_the_papers_sizes_are_the_appendixs() -> None:
    vqvae = read_stage(CONFIGURATIONS / "paper5-vqvae.json", "vqgan").settings
    assert (vqvae.sizes.codebook, vqvae.sizes.code_length) == (256, 32)
    assert (vqvae.sizes.spatial_dims, vqvae.sizes.image_channels) == (2, 3)
    assert (len(vqvae.sizes.channels), vqvae.sizes.residual_blocks) == (3, 3)
    assert (vqvae.learning_rate, vqvae.gamma, vqvae.batch) == (1e-4, 0.9999, 16)
    assert (vqvae.adversarial_weight, vqvae.perceptual_weight) == (0.0, 0.0)
    assert vqvae.steps == 20_000 * 13  # epochs, of 13 batches of 16 of some 200 pictures
    found = read_stage(CONFIGURATIONS / "paper5-transformer.json", "transformer").settings
    sizes = found.sizes
    assert (sizes.layers, sizes.heads, sizes.width, sizes.grid) == (16, 8, 32, (32, 32))
    assert (found.learning_rate, found.gamma, found.dropout) == (1e-3, 0.9999, 0.1)
    assert (found.batch, found.variants, found.hidden_share) == (1, 80, 0.0)
    assert found.steps == 80 * 209
    assert found.masking_rounds


def test_a_small_configuration_of_each_kind_of_pictures_is_there() -> None:
    for family, name, stage in (
        ("vqgan_performer", "picture-vqvae", "vqgan"),
        ("vqgan_performer", "picture-transformer", "transformer"),
        ("ae_dense", "picture", "ae-dense"),
        ("vae", "picture", "vae"),
    ):
        found = read_stage(FAMILIES / family / "configs" / f"{name}.json", stage)
        assert found.size == (3, 128, 128)


def test_a_picture_placed_anew_is_a_similar_picture() -> None:
    """Turned, scaled and moved by little: the middle of a smooth one hardly changes."""
    rows, columns = np.mgrid[0:64, 0:64] / 64
    picture = np.stack([rows, columns, 0.5 + 0 * rows]).astype(np.float32)
    found = placed_anew(picture, np.random.default_rng(3))
    assert found.shape == picture.shape
    assert found.dtype == np.float32
    # Of gradients along the axes: the rotation's cosine and sine over the scale.
    across = [np.gradient(found[n][16:-16, 16:-16]) for n in (0, 1)]
    turned = np.array([[64 * one[axis].mean() for axis in (0, 1)] for one in across])
    assert np.allclose(turned @ turned.T, np.eye(2) * (turned @ turned.T)[0, 0], atol=1e-3)
    assert 0.95**2 < 1 / (turned @ turned.T)[0, 0] < 1.05**2
    assert abs(np.arctan2(turned[0, 1], turned[0, 0])) < np.deg2rad(5)
    assert np.allclose(found[2], 0.5, atol=1e-5)
