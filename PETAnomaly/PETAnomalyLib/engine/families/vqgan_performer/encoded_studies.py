"""Training studies as tokens: encoded once, augmented a few times, kept on disk.

Encoding a study takes as long as a step of the transformer on it. Tokens are kept as
`<cache>/<vqgan>/<patient>__<study>-<content>-<variant>.npy`, where <vqgan> is the hash of the
network's weights and <content> that of the aligned volumes: a stage that is stopped, or another
stage with the same VQ-GAN, finds them again, and nobody finds those of a study that is not the same
any more. Augmented variants also carry the number of the augmentation that made them. Which tokens
hold body is kept beside those of the PET, `...-body.npy`: without it every variant would be
deformed again, which takes longer than a step.

Studies of a stream are encoded as they come, and nothing of them is kept.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from PETAnomalyLib.engine.families.vqgan_performer.token_grids import body_tokens
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.augmentation import (
    Volume,
    deformed,
    intensity_changed,
    placed_anew,
    shifted,
)
from PETAnomalyLib.engine.training.study_stream import StudyStream

AUGMENTATION = 2  # one more whenever a variant becomes something else than it was
LARGEST_SHIFT = 3  # voxels


class StudyTokens(NamedTuple):
    """What the transformer is given of one study, or one picture.

    Attributes:
        pet: 1 x T int64.
        ct: 1 x T int64, or None.
        body: T bool; all of a picture.
    """

    pet: Tensor
    ct: Tensor | None
    body: Tensor

    def to(self, device: torch.device) -> StudyTokens:
        """The same on a device."""
        ct = None if self.ct is None else self.ct.to(device)
        return StudyTokens(self.pet.to(device), ct, self.body.to(device))


class Encoder:
    """A trained VQ-GAN and the folder of what it has encoded.

    Attributes:
        vqgan: in evaluation mode.
        folder: of its tokens, named by its weights.
    """

    def __init__(self, vqgan: VQGAN, cache: Path) -> None:
        self.vqgan = vqgan
        weights = hashlib.sha256()
        for values in vqgan.state_dict().values():
            weights.update(values.contiguous().cpu().numpy().tobytes())
        self.folder = cache / weights.hexdigest()[:16]
        self.folder.mkdir(parents=True, exist_ok=True)

    def tokens(self, name: str, volume: Callable[[], Volume]) -> np.ndarray:
        """Tokens of a volume, d x h x w int16.

        Args:
            name: of the tokens' file; a file that is there already is believed.
            volume: what to encode, D x H x W, or C x H x W of a picture, in the model's intensity
                unit; called if need be.
        """
        return _kept(self.folder / f"{name}.npy", lambda: self.encoded(volume()))

    def encoded(self, volume: Volume) -> np.ndarray:
        """Tokens of a volume, d x h x w int16; not kept."""
        with torch.no_grad():
            image = torch.from_numpy(np.ascontiguousarray(volume, dtype=np.float32))
            image = image.to(next(self.vqgan.parameters()).device)
            batch = image[None, None] if self.vqgan.sizes.spatial_dims == 3 else image[None]
            return self.vqgan.tokens(batch)[0].short().cpu().numpy()


def _kept(file: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
    # A file that a power cut left short is made anew.
    with contextlib.suppress(OSError, EOFError, ValueError):
        return np.asarray(np.load(file))
    partial = file.with_suffix(f".{os.getpid()}.partial.npy")
    np.save(partial, make())
    partial.replace(file)
    return np.asarray(np.load(file))


class EncodedStudies:
    """Tokens of each study's augmented variants, encoded when first asked for."""

    def __init__(
        self, studies: list[AlignedStudy], pet: Encoder, ct: Encoder | None, variants: int
    ) -> None:
        self._studies = studies
        self._pet = pet
        self._ct = ct
        self._variants = variants
        self._of_pictures = pet.vqgan.sizes.spatial_dims == 2
        self._tokens: dict[tuple[int, int], StudyTokens] = {}

    def __len__(self) -> int:
        return len(self._studies)

    def name(self, study: int) -> str:
        """`<patient>__<study>`."""
        return self._studies[study].name

    def pet(self, study: int) -> Volume:
        """D x H x W, the model's PET intensity, or C x H x W of a picture; not augmented."""
        return self._studies[study].image

    def drawn(self, _item: int, random: np.random.Generator) -> tuple[int, int]:
        """Study and variant of an item of a batch."""
        return int(random.integers(len(self))), int(random.integers(self._variants))

    def tokens(self, study: int, variant: int) -> StudyTokens:
        """Variant 0 is the study as it is."""
        key = (study, variant % self._variants)
        if key not in self._tokens:
            self._tokens[key] = self._encode(*key)
        pet, ct, body = self._tokens[key]
        return StudyTokens(pet.long(), None if ct is None else ct.long(), body)

    def _encode(self, study: int, variant: int) -> StudyTokens:
        aligned = self._studies[study]
        name = f"{aligned.name}-{_content(aligned)}-{variant}"
        if variant:
            name += f"-augmentation{AUGMENTATION}"
        volumes = functools.cache(lambda: self._volumes(study, variant))
        pet = self._pet.tokens(name, lambda: volumes().pet)
        ct = None
        if self._ct is not None:
            ct = _sequence(self._ct.tokens(name, lambda: volumes().deformed[1]))
        if self._of_pictures:
            return StudyTokens(_sequence(pet), None, torch.ones(pet.size, dtype=torch.bool))
        body = _kept(
            self._pet.folder / f"{name}-body.npy",
            lambda: body_tokens(volumes().deformed[0], pet.shape),
        )
        return StudyTokens(_sequence(pet), ct, torch.from_numpy(body).flatten())

    def _volumes(self, study: int, variant: int) -> _Variant:
        aligned = self._studies[study]
        volumes = [aligned.image.astype(np.float32)]
        if self._ct is not None and aligned.ct is not None:
            volumes.append(aligned.ct.astype(np.float32))
        pet = volumes[0]
        if variant:
            random = np.random.default_rng([zlib.crc32(aligned.name.encode()), variant])
            if self._of_pictures:
                return _Variant(intensity_changed(placed_anew(pet, random), random), volumes)
            volumes = deformed(shifted(volumes, LARGEST_SHIFT, random), random)
            pet = intensity_changed(volumes[0], random)  # a scanner's HU do not vary so
        return _Variant(pet, volumes)


class EncodedStream:
    """Tokens of the studies of a stream, encoded each time that one is seen.

    The second sight of a study is shifted and its intensities are changed, as augmented variants
    are; it is not deformed, which would take the training longer than a step.
    """

    def __init__(self, stream: StudyStream, pet: Encoder, ct: Encoder | None) -> None:
        self._stream, self._pet, self._ct = stream, pet, ct

    def drawn(self, item: int, _random: np.random.Generator) -> tuple[int, int]:
        """Study and sight of an item of a batch: nothing is drawn."""
        return self._stream.place(item)

    def tokens(self, study: int, sight: int) -> StudyTokens:
        """Of a study's number, as soon as it is there."""
        seen = self._stream.study(study)
        volumes = [seen.image.astype(np.float32)]
        if self._ct is not None and seen.ct is not None:
            volumes.append(seen.ct.astype(np.float32))
        pet = volumes[0]
        if sight:
            random = np.random.default_rng([zlib.crc32(seen.name.encode()), study, sight])
            volumes = shifted(volumes, LARGEST_SHIFT, random)
            pet = intensity_changed(volumes[0], random)
        encoded = self._pet.encoded(pet)
        body = torch.from_numpy(body_tokens(volumes[0], encoded.shape)).flatten()
        ct = None if self._ct is None else _sequence(self._ct.encoded(volumes[1])).long()
        return StudyTokens(_sequence(encoded).long(), ct, body)


class _Variant(NamedTuple):
    """An augmented study; all volumes D x H x W.

    Attributes:
        pet: deformed, its intensities changed.
        deformed: PET and, where there is one, CT, their intensities as they are.
    """

    pet: Volume
    deformed: list[Volume]


def _content(study: AlignedStudy) -> str:
    content = hashlib.sha256(study.image.tobytes())
    if study.ct is not None:
        content.update(study.ct.tobytes())
    return content.hexdigest()[:12]


def _sequence(tokens: np.ndarray) -> Tensor:
    return torch.from_numpy(tokens).flatten()[None]
