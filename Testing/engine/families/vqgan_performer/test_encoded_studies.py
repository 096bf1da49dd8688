"""Tokens of training studies: augmented, kept on disk, and never of another network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PETAnomalyLib.engine.families.vqgan_performer.encoded_studies import (
    EncodedStream,
    EncodedStudies,
    Encoder,
    StudyTokens,
)
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import body_tokens
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.study_stream import study_stream
from stream_sources import Noise

SIZES = VQGANSizes((2, 3), 8, 4, 1)


def network(seed: int) -> VQGAN:
    """Weights and codes large enough that neighbouring blocks have different tokens."""
    vqgan = VQGAN(SIZES).eval()
    generator = torch.Generator().manual_seed(seed)
    for values in vqgan.state_dict().values():
        if values.is_floating_point():
            values.copy_(torch.randn(values.shape, generator=generator))
    return vqgan


def studies() -> list[AlignedStudy]:
    random = np.random.default_rng(0)
    made = []
    for name in ("a__0", "b__0"):
        pet, ct = random.random((2, 8, 12, 16)).astype(np.float16)
        pet[:4] = 0  # air
        made.append(AlignedStudy(name, pet, ct, None))
    return made


def test_the_first_variant_is_the_study_as_it_is(tmp_path: Path) -> None:
    pet, ct = network(0), network(1)
    encoded = EncodedStudies(studies(), Encoder(pet, tmp_path), Encoder(ct, tmp_path), variants=3)
    study = studies()[1]
    tokens = encoded.tokens(1, 0)
    with torch.no_grad():
        for found, vqgan, volume in ((tokens.pet, pet, study.image), (tokens.ct, ct, study.ct)):
            assert found is not None
            assert volume is not None
            image = torch.from_numpy(volume.astype(np.float32))[None, None]
            assert torch.equal(found, vqgan.tokens(image).flatten(1))
    body = body_tokens(study.image.astype(np.float32), (2, 3, 4))
    assert torch.equal(tokens.body, torch.from_numpy(body).flatten())
    variants = {tuple(encoded.tokens(1, v).pet[0].tolist()) for v in range(3)}
    assert len(variants) == 3


def test_a_variant_carries_the_number_of_the_augmentation_that_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a run that goes on with a newer version would be given the tokens of an older one."""
    pet = network(0)

    def names() -> set[str]:
        encoded = EncodedStudies(studies(), Encoder(pet, tmp_path), None, 2)
        encoded.tokens(0, 0)
        encoded.tokens(0, 1)
        return {file.name for file in tmp_path.rglob("*.npy")}

    before = names()
    monkeypatch.setattr(
        "PETAnomalyLib.engine.families.vqgan_performer.encoded_studies.AUGMENTATION", 99
    )
    added = sorted(names() - before)
    assert len(added) == 2  # tokens and body of the augmented variant; the plain one is found again
    assert all("-1-augmentation99" in name for name in added)


def test_tokens_on_disk_are_read_and_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pet, ct = network(0), network(1)

    def all_tokens() -> list[torch.Tensor]:
        encoded = EncodedStudies(studies(), Encoder(pet, tmp_path), Encoder(ct, tmp_path), 2)
        each = [encoded.tokens(study, variant) for study in (0, 1) for variant in (0, 1)]
        return [values for tokens in each for values in tokens if values is not None]

    first = all_tokens()
    files = sorted(tmp_path.rglob("*.npy"))
    assert len(files) == 2 * 2 * 3  # PET, CT and body
    written = [file.stat().st_mtime_ns for file in files]
    # Nor is a study deformed again for what is known.
    monkeypatch.delattr("PETAnomalyLib.engine.families.vqgan_performer.encoded_studies.deformed")
    assert all(torch.equal(a, b) for a, b in zip(first, all_tokens()))
    assert [file.stat().st_mtime_ns for file in files] == written


def test_a_study_written_anew_under_its_old_name_is_encoded_anew(tmp_path: Path) -> None:
    pet, ct = network(0), network(1)
    old = studies()[0]

    def tokens(study: AlignedStudy) -> StudyTokens:
        encoders = Encoder(pet, tmp_path), Encoder(ct, tmp_path)
        return EncodedStudies([study], *encoders, variants=1).tokens(0, 0)

    before = tokens(old)
    assert old.ct is not None
    other_ct = tokens(replace(old, ct=old.ct[::-1]))
    assert before.ct is not None
    assert other_ct.ct is not None
    assert not torch.equal(other_ct.ct, before.ct)
    assert not torch.equal(tokens(replace(old, image=old.image[::-1])).pet, before.pet)


def test_a_network_trained_further_finds_no_old_tokens(tmp_path: Path) -> None:
    before = network(0)
    folder = Encoder(before, tmp_path).folder
    with torch.no_grad():
        next(iter(before.parameters())).add_(1e-3)
    assert Encoder(before, tmp_path).folder != folder


@pytest.mark.parametrize("kept", [0, 60, 150], ids=["nothing", "half a header", "half of it"])
def test_a_file_that_a_power_cut_left_short_is_made_anew(kept: int, tmp_path: Path) -> None:
    pet = network(0)
    before = EncodedStudies(studies(), Encoder(pet, tmp_path), None, 2).tokens(0, 1)
    for file in tmp_path.rglob("*.npy"):
        assert file.stat().st_size > 150
        file.write_bytes(file.read_bytes()[:kept])
    after = EncodedStudies(studies(), Encoder(pet, tmp_path), None, 2).tokens(0, 1)
    assert torch.equal(after.pet, before.pet)
    assert torch.equal(after.body, before.body)


def test_a_study_of_a_stream_has_the_tokens_of_one_that_is_stored_and_leaves_none(
    tmp_path: Path,
) -> None:
    pet, ct = Encoder(network(0), tmp_path / "stream"), Encoder(network(1), tmp_path / "stream")
    at_rest = tmp_path / "stored"
    encoders = Encoder(network(0), at_rest), Encoder(network(1), at_rest)
    stored = EncodedStudies([Noise()(1).study], *encoders, variants=1)
    random = np.random.default_rng(0)
    with study_stream(Noise(), 2, 1, 32, SilentReporter()) as stream:
        encoded = EncodedStream(stream, pet, ct)
        assert [encoded.drawn(item, random) for item in (0, 7, 8, 15, 16)] == [
            (0, 0), (7, 0), (0, 1), (7, 1), (8, 0),
        ]  # fmt: skip
        first, again, second = (encoded.tokens(*place) for place in ((1, 0), (1, 0), (1, 1)))
    for tokens in (again, stored.tokens(0, 0)):
        for one, other in zip(first, tokens):
            assert one is not None
            assert other is not None
            assert torch.equal(one, other)
    assert not torch.equal(first.pet, second.pet)
    assert [file for file in (tmp_path / "stream").rglob("*") if file.is_file()] == []
