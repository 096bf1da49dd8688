"""Stage `vqgan`: images to tokens and back, one modality (paper 1, appendix C), or pictures.

Loss: squared error and the spectral loss of equation 5, both over the image's variance so that the
commitment (beta = 0.25) weighs the same for every intensity scaling, the perceptual loss, and a
least-squares patch discriminator after a warm-up (Esser et al., arXiv 2012.09841). Trained on
random crops: the network is fully convolutional.

The EMA codebook collapses onto a single code when it starts from random numbers (perplexity 1.0 in
a trial): it starts from real encodings, and codes that die are given new ones.

Of pictures (paper 5, appendix A) a configuration takes the discriminator and the perceptual loss
away, by a weight of 0, and gives the learning rate's decay an epoch, `gamma`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from monai.losses import JukeboxLoss, PerceptualLoss
from monai.networks.nets import PatchDiscriminator
from torch import Tensor

from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.augmentation import (
    REACH,
    deformed,
    intensity_changed,
    placed_anew,
)
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.critic import Critic
from PETAnomalyLib.engine.training.perceptual import perceptual_loss
from PETAnomalyLib.engine.training.processes import gathered, own_part, variance
from PETAnomalyLib.engine.training.progress import RunLog
from PETAnomalyLib.engine.training.stage import Stage, StageConfiguration, choice, number, whole
from PETAnomalyLib.engine.training.validation_pictures import draw_reconstructions

PICTURE = "picture"

REVIVE_EVERY = 25  # steps
DEAD = 0.02  # of the mean usage

FIRST_STUDIES = 8  # of a stream, whose encodings the codes begin with

# Which crops: the first number of their seeds.
TRAINING, HELD_OUT, FIRST_CODES = 0, 1, 2


@dataclass(frozen=True)
class VQGANSettings:
    """What the configuration file's `vqgan` section holds.

    Attributes:
        modality: `pet`, `ct` or `picture`.
        sizes: the network.
        steps, batch, crop: optimisation steps, crops a step, voxels along a crop's edge.
        learning_rate, discriminator_learning_rate: Adam.
        adversarial_from: share of the run after which the discriminator joins.
        adversarial_weight: of the generator's adversarial loss; 0: there is no discriminator.
        perceptual_weight: of the perceptual loss. The paper gives no number; this is that of
            MONAI's tutorial on the same networks.
        body_intensity: crops are centred on voxels above it, most of the time.
        gamma: the learning rate's decay an epoch; None: a cosine to zero over the run.
        seed: of the first weights, and of what is drawn.
    """

    modality: str
    sizes: VQGANSizes
    steps: int
    batch: int
    crop: int
    learning_rate: float = 4e-4
    discriminator_learning_rate: float = 5e-4
    adversarial_from: float = 0.6
    adversarial_weight: float = 0.01
    perceptual_weight: float = 0.001
    body_intensity: float = 0.03
    gamma: float | None = None
    seed: int = 0


def train_vqgan(
    settings: VQGANSettings,
    training: list[np.ndarray],
    validation: list[np.ndarray],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> VQGAN:
    """Train and return the network; its curve and checkpoint are in `run.folder`.

    Args:
        settings: from the configuration file.
        training: volumes D x H x W, or pictures C x H x W, in the model's intensity unit; none
            where the run has a stream.
        validation: the same, held out.
        run: where and how long.
        resume: go on from the checkpoint.
        reporter: told of the progress.
    """
    fabric = run.fabric
    mine = own_part(fabric, settings.batch)
    torch.manual_seed(settings.seed)
    network = VQGAN(settings.sizes)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate)
    critic = _critic(settings, fabric) if settings.adversarial_weight else None
    state = run.resume() if resume else {}
    if not state:
        _start_codes(network, _first_images(training, settings, run))
    reconstruct, optimizer = fabric.setup(network, optimizer)
    parts: dict[str, Any] = {
        "network": network, "optimizer": optimizer,
        **({"discriminator": critic.network, "critic": critic.optimizer} if critic else {}),
    }  # fmt: skip
    with run.restoring():
        _load(parts, state)
    spectral = JukeboxLoss(spatial_dims=settings.sizes.spatial_dims)
    perceptual = _perceptual(settings, fabric, reporter)
    log = RunLog(run, reporter)
    held_out = _crops(validation, settings, [(HELD_OUT, n) for n in range(8)]).to(fabric.device)
    network.train()
    while run.progress() < 1.0:
        images = _images(training, settings, mine, run).to(fabric.device)
        epochs = run.step * settings.batch / len(training) if training else 0.0  # of a stream
        run.set_learning_rate(optimizer, settings.learning_rate, settings.gamma, epochs)
        seeds = [run.step * settings.batch + n for n in mine]
        # MONAI's codebook follows the encodings of all processes.
        reconstruction, commitment, tokens = reconstruct(images, seeds)
        scale = variance(fabric, _centred(images)).clamp_min(1e-4)
        error = (reconstruction - images).square().mean() / scale
        spectrum = spectral(reconstruction, images) / scale
        loss = error + spectrum + commitment
        if perceptual is not None:
            loss = loss + settings.perceptual_weight * perceptual(reconstruction, images)
        adversary = critic if run.progress() >= settings.adversarial_from else None
        if adversary is not None:
            loss = loss + settings.adversarial_weight * adversary.loss(reconstruction)
        optimizer.zero_grad()
        fabric.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if adversary is not None:
            adversary.learn(reconstruction, images)
        run.advance()
        # The decoder must be able to settle on the codes that there are.
        if run.step % REVIVE_EVERY == 0 and run.progress() < settings.adversarial_from:
            revive_dead_codes(
                network, gathered(fabric, _flat_encodings(network, images)), seed=run.step
            )
        log.step(
            error=error,
            spectrum=spectrum,
            commitment=commitment,
            perplexity=perplexity(gathered(fabric, tokens), settings.sizes.codebook),
        )
        if run.step % 100 == 0 or run.progress() >= 1.0:
            _validate(network, held_out, run, log)
        if run.is_checkpoint_due():
            run.save({name: part.state_dict() for name, part in parts.items()})
        run.check_cancelled(reporter)
    return network.eval()


def _perceptual(
    settings: VQGANSettings, fabric: Fabric, reporter: Reporter
) -> PerceptualLoss | None:
    if not settings.perceptual_weight:
        return None
    return perceptual_loss(settings.sizes.spatial_dims, settings.crop, fabric.device, reporter)


def _critic(settings: VQGANSettings, fabric: Fabric) -> Critic:
    network = PatchDiscriminator(
        spatial_dims=settings.sizes.spatial_dims,
        channels=16,
        in_channels=settings.sizes.image_channels,
        num_layers_d=2,
        norm="INSTANCE",
    )
    return Critic(network, "least_squares", settings.discriminator_learning_rate, fabric)


def _load(parts: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    for name in parts if state else ():
        parts[name].load_state_dict(state[name])


def perplexity(tokens: Tensor, codebook: int) -> Tensor:
    """exp of the entropy of the codes' usage: from 1 (all one code) to the codebook's size."""
    usage = torch.bincount(tokens.flatten(), minlength=codebook).float()
    share = usage[usage > 0] / usage.sum()
    return torch.exp(-(share * share.log()).sum())


def revive_dead_codes(network: VQGAN, encodings: Tensor, seed: int) -> int:
    """Give codes that are hardly used a real encoding of this batch; returns how many.

    Args:
        network: whose codebook it is.
        encodings: of all processes' images, n x code length: the codebooks stay equal.
        seed: which of them are taken.
    """
    usage = network.quantizer.ema_cluster_size
    dead = (usage < DEAD * usage.mean()).nonzero()[:, 0]
    _set_codes(network, dead, _some(encodings, len(dead), seed))
    return len(dead)


def _some(encodings: Tensor, count: int, seed: int) -> Tensor:
    order = torch.randperm(len(encodings), generator=torch.Generator().manual_seed(seed))
    return encodings[order[:count].to(encodings.device)]


def _start_codes(network: VQGAN, images: Tensor) -> None:
    encodings = _flat_encodings(network, images)
    with torch.no_grad():
        last: Any = network.encoder.blocks[-1].conv
        if network.sizes.spatial_dims == 2:  # a volume is mostly air, which encodes as nothing
            mean = encodings.mean(0)
            last.bias -= mean
            encodings = encodings - mean
        # Bring the encodings to unit spread: the commitment then has a scale to hold on to.
        spread = encodings.std().clamp_min(1e-6)
        last.weight /= spread
        last.bias /= spread
        encodings = encodings / spread
    codes = torch.arange(network.sizes.codebook)
    _set_codes(network, codes, _some(encodings, len(codes), seed=0))
    if network.sizes.spatial_dims == 2:
        _begin_at_the_mean(network, images)


@torch.no_grad()
def _begin_at_the_mean(network: VQGAN, images: Tensor) -> None:
    """Have the decoder of pictures begin near their mean: off it by a tenth of their spread.

    Pictures of leather are alike but for a hundredth of their square. With a random decoder the
    error begins at 15 times their variance, and in twelve steps, down to the mean, every encoding
    was the same: all ReLUs of the encoder had died.
    """
    last = network.last_layer
    assert last.bias is not None
    drawn = network.image(network.hidden(network.tokens(images)))
    last.weight *= 0.1 * _centred(images).std() / _centred(drawn).std().clamp_min(1e-6)
    last.bias.copy_(images.mean((0, 2, 3)))


def _set_codes(network: VQGAN, codes: Tensor, encodings: Tensor) -> None:
    quantizer = network.quantizer
    codes = codes[: len(encodings)]
    fair = quantizer.ema_cluster_size.mean().clamp_min(1.0)
    quantizer.embedding.weight.data[codes] = encodings
    quantizer.ema_cluster_size[codes] = fair
    quantizer.ema_w[codes] = encodings * fair


@torch.no_grad()
def _flat_encodings(network: VQGAN, images: Tensor) -> Tensor:
    return network.encoder(images).movedim(1, -1).flatten(0, -2)


def _validate(network: VQGAN, images: Tensor, run: Run, log: RunLog) -> None:
    network.eval()
    with torch.no_grad():
        reconstruction, _, tokens = network(images)
    network.train()
    error = reconstruction - images
    log.validation(
        validation_error=float(error.square().mean() / _centred(images).var()),
        validation_absolute_error=float(error.abs().mean()),
        validation_perplexity=float(perplexity(tokens, network.sizes.codebook)),
        codes_used=float(tokens.unique().numel()),
    )
    if run.fabric.is_global_zero:
        what = "coronal slices of" if images.dim() == 5 else "grey values of"
        draw_reconstructions(
            run.folder / "reconstructions.png",
            _in_the_plane(images).cpu().numpy(),
            _in_the_plane(reconstruction).cpu().numpy(),
            f"Step {run.step}: {what} held-out crops",
        )


def _centred(images: Tensor) -> Tensor:
    """Colour pictures without the mean of each channel; a volume as it is.

    What colours differ by says nothing of what is on a picture, and of leather is twelve times what
    its pixels vary by: over that, the error would weigh next to nothing.
    """
    return images if images.shape[1] == 1 else images - images.mean((0, 2, 3), keepdim=True)


def _in_the_plane(images: Tensor) -> Tensor:
    """B x rows x columns, the lowest row first: the middle coronal slice, or a picture in grey."""
    if images.dim() == 5:
        return images[:, 0, :, images.shape[3] // 2]
    return images.mean(1).flip(1)


def _images(training: list[np.ndarray], settings: VQGANSettings, mine: range, run: Run) -> Tensor:
    """This process's crops of a step, see `_crops`; of a stream each of the study of its turn."""
    # A last 0 changes nothing of a seed.
    seeds = [(TRAINING, run.step, n, settings.seed) for n in mine]
    if run.stream is None:
        return _crops(training, settings, seeds)
    studies = run.stream.of_step(run.step, settings.batch, mine)
    crops = [_crops([_volume(s, settings)], settings, [n]) for s, n in zip(studies, seeds)]
    return torch.cat(crops)


def _first_images(training: list[np.ndarray], settings: VQGANSettings, run: Run) -> Tensor:
    """Crops whose encodings the codes begin with."""
    if run.stream is not None:
        firsts = run.stream.of_step(0, FIRST_STUDIES, range(FIRST_STUDIES))
        training = [_volume(study, settings) for study in firsts]
    return _crops(training, settings, [(FIRST_CODES, n) for n in range(16)])


def _volume(study: AlignedStudy, settings: VQGANSettings) -> np.ndarray:
    volume: np.ndarray | None = study.ct if settings.modality == "ct" else study.image
    assert volume is not None  # or the cohort had been refused
    return volume


def _crops(
    volumes: list[np.ndarray], settings: VQGANSettings, seeds: Sequence[tuple[int, ...]]
) -> Tensor:
    """One augmented crop for each seed, B x 1 x edge x edge x edge, or B x C x edge x edge."""
    crop = _crop if settings.sizes.spatial_dims == 3 else _crop_of_picture
    return torch.from_numpy(
        np.stack([crop(volumes, settings, np.random.default_rng(seed)) for seed in seeds])
    )


def _crop_of_picture(
    pictures: list[np.ndarray], settings: VQGANSettings, random: np.random.Generator
) -> np.ndarray:
    picture = pictures[random.integers(len(pictures))].astype(np.float32)
    if random.random() < 0.5:  # as of volumes
        picture = placed_anew(picture, random)
    first = [int(random.integers(0, n - settings.crop + 1)) for n in picture.shape[1:]]
    window = tuple(slice(at, at + settings.crop) for at in first)
    return intensity_changed(picture[(slice(None), *window)], random)


def _crop(
    volumes: list[np.ndarray], settings: VQGANSettings, random: np.random.Generator
) -> np.ndarray:
    edge = settings.crop
    volume = volumes[random.integers(len(volumes))]
    start = [int(random.integers(0, max(1, n - edge + 1))) for n in volume.shape]
    inside = volume[tuple(slice(s, s + edge) for s in start)]
    # Nine in ten crops show the body: air is a single token and needs no more practice.
    if inside.mean(dtype=np.float32) < settings.body_intensity and random.random() < 0.9:
        start[1:] = [n // 2 - edge // 2 for n in volume.shape[1:]]
    around = [
        np.arange(s - REACH, s + edge + REACH).clip(0, n - 1) for s, n in zip(start, volume.shape)
    ]
    crop = volume[np.ix_(*around)].astype(np.float32)
    # The other half keeps its voxels: interpolation smooths them a little.
    if random.random() < 0.5:
        [crop] = deformed([crop], random)
    return intensity_changed(crop[(slice(REACH, -REACH),) * 3], random)[None]


def _check(configuration: StageConfiguration) -> None:
    sizes, crop = configuration.settings.sizes, configuration.settings.crop
    stride, channels, edges = sizes.stride, 1, list(configuration.size)
    whole = configuration.file, "frame.size_voxels"
    if configuration.of_pictures:
        channels, *edges = configuration.size
        whole = configuration.file, "pictures.size"
        if crop > min(edges):
            raise configuration.section.error("crop", f"is more than the pictures' {min(edges)}")
    dims = len(edges)
    in_sizes = configuration.section.section("sizes")
    if sizes.spatial_dims != dims:
        raise in_sizes.error("spatial_dims", f"is {sizes.spatial_dims}, and must be {dims} here")
    if sizes.image_channels != channels:
        raise in_sizes.error("image_channels", f"is {sizes.image_channels}, of {channels}")
    if (configuration.settings.modality == PICTURE) != configuration.of_pictures:
        raise configuration.section.error("modality", "is not what the file is of")
    for (within, name), lengths in ((whole, edges), ((configuration.section, "crop"), [crop])):
        if any(edge % stride for edge in lengths):
            raise within.error(name, f"does not divide by {stride}, the voxels of a token")


def _train(
    configuration: StageConfiguration,
    _beside: None,  # it builds upon no other run
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> VQGAN:
    settings: VQGANSettings = configuration.settings
    training, validation = ([_volume(study, settings) for study in part] for part in studies)
    return train_vqgan(settings, training, validation, run, resume, reporter)


def stage(family: Family) -> Stage:
    """The stage `vqgan`, of either modality."""
    return Stage(
        name="vqgan",
        family=family,
        network=family.networks["pet_vqgan"],
        settings=VQGANSettings,
        keys={
            "modality": choice("pet", "ct", PICTURE),
            "crop": whole(16, 1024),  # of 8 the critic leaves one voxel: no spread to normalise
            "discriminator_learning_rate": number(1e-9, 10.0),
            "adversarial_from": number(0.0, 1.0),
            "adversarial_weight": number(0.0, 1e6),
            "perceptual_weight": number(0.0, 1e6),
            "body_intensity": number(0.0, 1.0),
        },
        fixed=("modality",),
        of_pictures=True,
        of_stream=True,
        needs_ct=lambda configuration: configuration.settings.modality == "ct",
        check=_check,
        train=_train,
    )
