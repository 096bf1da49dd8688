"""Stage `transformer`: the likelihood of tokens, with or without CT (paper 1, appendix D).

Cross-entropy over the raster sequence of the body's tokens. Studies are augmented before they are
encoded, a few variants each (encoded_studies.py). A share of the tokens that the network sees
(never of those it predicts) is hidden, one by one and in boxes, so that it leans on the whole study
and not only on the tokens beside, and so that it knows the sight of a study whose unlikely tokens
are hidden (resampling.py).

Iterative latent token masking (paper 5): training patients need not be healthy. In rounds, the
network as it then is marks the training tokens that it finds unlikely. Until the next round they
leave the loss, and the network's sight, so that a lesion does not excuse its own continuation.
Nothing of this depends on how many dimensions the grid of tokens has.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.families.networks import build_network, load_weights
from PETAnomalyLib.engine.families.vqgan_performer.encoded_studies import (
    EncodedStream,
    EncodedStudies,
    Encoder,
    StudyTokens,
)
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (
    resampling_mask,
    token_log_likelihood,
)
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.configuration import run_beside
from PETAnomalyLib.engine.training.processes import own_part
from PETAnomalyLib.engine.training.progress import RunLog
from PETAnomalyLib.engine.training.stage import (
    Stage,
    StageConfiguration,
    number,
    rising,
    whole,
)
from PETAnomalyLib.engine.training.validation_pictures import draw_likelihoods

NOT_IN_THE_LOSS = -100  # a token's number where cross-entropy is to leave it out

HIDDEN_BOX = (2, 4)  # tokens along an edge: as large as a lesion and its surroundings


@dataclass(frozen=True)
class TransformerSettings:
    """What the configuration file's `transformer` section holds.

    Attributes:
        sizes: the network.
        steps: optimisation steps.
        batch: studies a step (paper 1: 1); the step follows the mean of their gradients.
        variants: augmented encodings of each study; of a stream each sight of it is another.
        hidden_share: share of the input tokens hidden in training, half of them in boxes.
        learning_rate: Adam (paper 1: 1e-3).
        masking_rounds: shares of the run (0..1, rising) after which training tokens are marked
            anew; empty for training on all tokens.
        masking_threshold: tokens with p(s_i) under it are marked.
        dropout: see `Performer`.
        gamma: the learning rate's decay an epoch; None: a cosine to zero over the run.
        seed: of the first weights, and of what is drawn.
    """

    sizes: PerformerSizes
    steps: int
    batch: int = 1
    variants: int = 3
    hidden_share: float = 0.1
    learning_rate: float = 1e-3
    masking_rounds: tuple[float, ...] = ()
    masking_threshold: float = 0.01
    dropout: float = 0.0
    gamma: float | None = None
    seed: int = 0


class UnlikelyTokens:
    """Which training tokens a round's network found unlikely (paper 5), marked when asked for.

    The round's network is kept as it was when the round began: a run that is stopped and resumed
    marks the same tokens.

    Args:
        threshold: of p(s_i).
        remember: what was marked, since the same studies come again and again.
    """

    def __init__(self, threshold: float, remember: bool = True) -> None:
        self._threshold = threshold
        self._remembers = remember
        self._network: Performer | None = None
        self._marked: dict[tuple[int, int], Tensor] = {}
        self.round = 0

    def begin_round(self, network: Performer) -> None:
        """From here on `network`, as it is now, decides."""
        self._network = copy.deepcopy(network).eval()
        self._marked.clear()
        self.round += 1

    def marked(self, study: tuple[int, int], tokens: StudyTokens) -> Tensor:
        """1 x T, true where p(s_i) lies under the threshold; nowhere before the first round.

        Args:
            study: number and variant.
            tokens: its tokens.
        """
        if self._network is None:
            return torch.zeros_like(tokens.pet, dtype=torch.bool)
        if study not in self._marked:
            if not self._remembers:
                self._marked.clear()
            with torch.no_grad():
                log_p = token_log_likelihood(self._network, *tokens, self._threshold)
            self._marked[study] = resampling_mask(log_p, self._threshold)[None]
        return self._marked[study]

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        network = None if self._network is None else self._network.state_dict()
        return {"round": self.round, "network": network}

    def load_state_dict(self, state: dict[str, Any], network: Performer) -> None:
        """Back from the checkpoint; `network` gives the architecture."""
        if state["network"] is not None:
            self.begin_round(network)
            assert self._network is not None  # begin_round has just set it
            self._network.load_state_dict(state["network"])
        self.round = int(state["round"])


def train_transformer(
    settings: TransformerSettings,
    training: EncodedStudies | EncodedStream,
    validation: EncodedStudies,
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> Performer:
    """Train and return the network; its curve and checkpoint are in `run.folder`."""
    fabric = run.fabric
    mine = own_part(fabric, settings.batch)
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    network = Performer(settings.sizes, settings.seed, settings.dropout)
    optimizer = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    predict, optimizer = fabric.setup(network, optimizer)
    unlikely = UnlikelyTokens(settings.masking_threshold, remember=run.stream is None)
    if resume and (state := run.resume()):
        with run.restoring():
            network.load_state_dict(state["network"])
            optimizer.load_state_dict(state["optimizer"])
            random.bit_generator.state = state["order"]
            if settings.masking_rounds:  # going on without them, it trains on all tokens again
                unlikely.load_state_dict(state["unlikely"], network)
    log = RunLog(run, reporter)
    while run.progress() < 1.0:
        if sum(run.progress() >= share for share in settings.masking_rounds) > unlikely.round:
            unlikely.begin_round(network)
        items = range(run.step * settings.batch, (run.step + 1) * settings.batch)
        epochs = items.start / len(training) if isinstance(training, EncodedStudies) else 0.0
        run.set_learning_rate(optimizer, settings.learning_rate, settings.gamma, epochs)
        if settings.dropout:  # a run that is stopped and resumed drops the same
            key = np.random.SeedSequence([settings.seed, run.step, fabric.global_rank])
            torch.manual_seed(int(key.generate_state(1)[0]))
        run.look_ahead(settings.batch, mine)
        batch = [_draw(settings, training, item, random) for item in items]
        optimizer.zero_grad()
        losses, shares = [], []
        # One after the other: the sequences of two studies differ in length.
        for n in mine:
            tokens = training.tokens(*batch[n].study).to(fabric.device)
            marked = unlikely.marked(batch[n].study, tokens)
            hidden = batch[n].hidden.to(fabric.device) | marked
            seen = tokens.pet.masked_fill(hidden, network.begin)
            wanted = tokens.pet.masked_fill(marked, NOT_IN_THE_LOSS)[0, tokens.body]
            with fabric.no_backward_sync(predict, enabled=n != mine[-1]):
                logits = predict(seen, tokens.ct, tokens.body)[0]
                loss = functional.cross_entropy(logits, wanted, ignore_index=NOT_IN_THE_LOSS)
                fabric.backward(loss / len(mine))
            losses.append(loss.detach())
            shares.append(marked[0, tokens.body].float().mean())
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        run.advance()
        log.step(cross_entropy=torch.stack(losses).mean(), marked=torch.stack(shares).mean())
        if run.step % 100 == 0 or run.progress() >= 1.0:
            _validate(network, validation, run, log)
        if run.is_checkpoint_due():
            run.save(
                {
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "order": random.bit_generator.state,
                    "unlikely": unlikely.state_dict(),
                }
            )
        run.check_cancelled(reporter)
    return network.eval()


class _Drawn(NamedTuple):
    """What one item of a batch is.

    Attributes:
        study: number and variant.
        hidden: which tokens the network does not see this time, 1 x T.
    """

    study: tuple[int, int]
    hidden: Tensor


def _draw(
    settings: TransformerSettings,
    training: EncodedStudies | EncodedStream,
    item: int,
    random: np.random.Generator,
) -> _Drawn:
    return _Drawn(training.drawn(item, random), _hidden(settings, random))


def _hidden(settings: TransformerSettings, random: np.random.Generator) -> Tensor:
    """Single tokens and boxes, 1 x T."""
    grid, share = settings.sizes.grid, settings.hidden_share
    hidden = random.random(grid) < share / 2
    mean_box = np.mean(HIDDEN_BOX) ** len(grid)
    for _ in range(round(share / 2 * hidden.size / mean_box)):
        edges = random.integers(HIDDEN_BOX[0], HIDDEN_BOX[1] + 1, size=len(grid))
        first = [int(random.integers(1 - edge, n)) for edge, n in zip(edges, grid)]
        hidden[tuple(slice(max(0, at), at + edge) for at, edge in zip(first, edges))] = True
    return torch.from_numpy(hidden).view(1, -1)


def _validate(network: Performer, studies: EncodedStudies, run: Run, log: RunLog) -> None:
    network.eval()
    losses = []
    for study in range(min(6, len(studies))):
        tokens = studies.tokens(study, 0).to(run.fabric.device)
        with torch.no_grad():
            log_p = torch.log_softmax(network(*tokens)[0], -1)  # S codebook
        surprise = -log_p.gather(-1, tokens.pet[0, tokens.body, None])[:, 0]  # S
        losses.append(float(surprise.mean()))
        if study == 0 and run.fabric.is_global_zero:
            everywhere = torch.zeros(tokens.body.shape)
            everywhere[tokens.body.cpu()] = surprise.cpu()
            grid = everywhere.view(network.sizes.grid)
            image = studies.pet(study).astype(np.float32)
            draw_likelihoods(
                run.folder / "likelihoods.png",
                *(
                    (image.max(1), grid.amax(1).numpy())  # coronal
                    if grid.dim() == 3
                    else (image.mean(0)[::-1], grid.flip(0).numpy())  # the lowest row first
                ),
                f"Step {run.step}: {studies.name(study)}, held out",
            )
    network.train()
    log.validation(validation_cross_entropy=float(np.mean(losses)))


def _check(configuration: StageConfiguration) -> None:
    dims = 2 if configuration.of_pictures else 3
    if len(configuration.settings.sizes.grid) != dims:
        raise configuration.section.section("sizes").error(
            "grid", f"must be a list of {dims} values"
        )
    if "pet_vqgan" not in configuration.runs_beside:
        raise configuration.section.error("pet_vqgan", "must name the run whose tokens are learnt")
    if configuration.of_pictures and "ct_vqgan" in configuration.runs_beside:
        raise configuration.section.error("ct_vqgan", "is of volumes, and the file is of pictures")


def _load_vqgans(configuration: StageConfiguration, models: Path) -> dict[str, VQGAN]:
    """The networks whose tokens are learnt, by their keys of the section."""
    runs = {
        key: run_beside(configuration, key, models, "vqgan") for key in configuration.runs_beside
    }
    sizes = {key: run.section.section("sizes").values for key, run in runs.items()}
    sizes["transformer"] = configuration.section.section("sizes").values
    family = configuration.stage.family
    configuration.refuse(family.misfit(sizes, configuration.size))
    vqgans = {}
    for key, name in configuration.runs_beside.items():
        weights = models / name / "weights.safetensors"
        if not weights.exists():
            raise InputError(
                f"{models / name} has no weights.safetensors", "train its vqgan stage to the end"
            )
        vqgans[key] = load_weights(build_network(family.networks[key], sizes[key]), weights)
    return vqgans  # type: ignore[return-value]  # by their kind


def _train(
    configuration: StageConfiguration,
    vqgans: dict[str, VQGAN],
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> Performer:
    settings: TransformerSettings = configuration.settings
    tokens = run.folder.parent / "tokens"
    encoders = {key: Encoder(vqgan.to(run.fabric.device), tokens) for key, vqgan in vqgans.items()}
    pet, ct = encoders["pet_vqgan"], encoders.get("ct_vqgan")
    stored, validation = (EncodedStudies(s, pet, ct, settings.variants) for s in studies)
    training = stored if run.stream is None else EncodedStream(run.stream, pet, ct)
    return train_transformer(settings, training, validation, run, resume, reporter)


def stage(family: Family) -> Stage:
    """The stage `transformer`."""
    return Stage(
        name="transformer",
        family=family,
        network=family.networks["transformer"],
        settings=TransformerSettings,
        keys={
            "variants": whole(1, 65536),
            "hidden_share": number(0.0, 1.0),
            "masking_rounds": rising(0.0, 1.0),
            "masking_threshold": number(0.0, 1.0),
            "dropout": number(0.0, 0.9),
        },
        runs_beside={"pet_vqgan": "pet", "ct_vqgan": "ct"},
        of_pictures=True,
        of_stream=True,
        needs_ct=lambda configuration: "ct_vqgan" in configuration.runs_beside,
        check=_check,
        load_beside=_load_vqgans,
        train=_train,
    )
