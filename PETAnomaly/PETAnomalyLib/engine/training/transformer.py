"""Stage `transformer`: the likelihood of tokens, with or without CT (paper 1, appendix D).

Cross-entropy over the raster sequence. Studies are shifted and scaled before they are encoded, a
few variants each; a share of the tokens that the network sees (never of those it predicts) is
hidden, so that it leans on the whole study and not only on the token before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.networks.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.networks.vqgan import VQGAN
from PETAnomalyLib.engine.training.augmentation import intensity_scaled, shifted
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.cohort import AlignedStudy
from PETAnomalyLib.engine.training.progress import RunLog


@dataclass(frozen=True)
class TransformerSettings:
    """What the configuration file's `transformer` section holds.

    Attributes:
        sizes: the network.
        steps: optimisation steps, one study each.
        variants: augmented encodings of each study.
        hidden_share: share of the input tokens hidden in training.
        learning_rate: Adam (paper 1: 1e-3).
    """

    sizes: PerformerSizes
    steps: int
    variants: int = 3
    hidden_share: float = 0.1
    learning_rate: float = 1e-3


class EncodedStudies:
    """Tokens of each study's augmented variants, encoded when first asked for."""

    def __init__(
        self, studies: list[AlignedStudy], pet_vqgan: VQGAN, ct_vqgan: VQGAN | None, variants: int
    ) -> None:
        self._studies = studies
        self._pet_vqgan = pet_vqgan
        self._ct_vqgan = ct_vqgan
        self._variants = variants
        self._tokens: dict[tuple[int, int], tuple[Tensor, Tensor | None]] = {}

    def __len__(self) -> int:
        return len(self._studies)

    def tokens(self, study: int, variant: int) -> tuple[Tensor, Tensor | None]:
        """PET tokens and CT tokens (or None), 1 x T int64; variant 0 is the study as it is."""
        key = (study, variant % self._variants)
        if key not in self._tokens:
            self._tokens[key] = self._encode(*key)
        pet, ct = self._tokens[key]
        return pet.long(), None if ct is None else ct.long()

    def _encode(self, study: int, variant: int) -> tuple[Tensor, Tensor | None]:
        aligned = self._studies[study]
        volumes = [aligned.pet.astype(np.float32)]
        if self._ct_vqgan is not None and aligned.ct is not None:
            volumes.append(aligned.ct.astype(np.float32))
        if variant:
            random = np.random.default_rng([study, variant])
            volumes = shifted(volumes, 3, random)
            volumes[0] = intensity_scaled(volumes[0], 0.05, random)
        pet = encode(self._pet_vqgan, volumes[0])
        ct = encode(self._ct_vqgan, volumes[1]) if self._ct_vqgan is not None else None
        return pet.short(), None if ct is None else ct.short()


def encode(vqgan: VQGAN, volume: np.ndarray) -> Tensor:
    """D x H x W in the model's intensity unit to its raster sequence of tokens, 1 x T."""
    with torch.no_grad():
        image = torch.from_numpy(np.ascontiguousarray(volume, dtype=np.float32))
        return vqgan.tokens(image[None, None]).flatten(1)


def train_transformer(
    settings: TransformerSettings,
    training: EncodedStudies,
    validation: EncodedStudies,
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> Performer:
    """Train and return the network; its curve and checkpoint are in `run.folder`."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    network = Performer(settings.sizes)
    optimizer = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    if resume:
        state = run.resume()
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        random.bit_generator.state = state["order"]
    log = RunLog(run, reporter)
    while run.progress() < 1.0:
        study = int(random.integers(len(training)))
        variant = int(random.integers(settings.variants))
        tokens, context = training.tokens(study, variant)
        seen = tokens.masked_fill(torch.rand(tokens.shape) < settings.hidden_share, network.begin)
        for group in optimizer.param_groups:
            group["lr"] = run.learning_rate(settings.learning_rate, warmup=50)
        loss = functional.cross_entropy(network(seen, context)[0], tokens[0])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        run.step += 1
        log.step(cross_entropy=loss.item())
        if run.step % 100 == 0 or run.progress() >= 1.0:
            log.validation(validation_cross_entropy=_validate(network, validation))
        if run.is_checkpoint_due():
            run.save(
                {
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "order": random.bit_generator.state,
                }
            )
        reporter.check_cancelled()
    return network.eval()


def _validate(network: Performer, studies: EncodedStudies) -> float:
    network.eval()
    losses = []
    with torch.no_grad():
        for study in range(min(6, len(studies))):
            tokens, context = studies.tokens(study, 0)
            losses.append(float(functional.cross_entropy(network(tokens, context)[0], tokens[0])))
    network.train()
    return float(np.mean(losses))
