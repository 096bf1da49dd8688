"""The other ways of doing the same that `petanomaly bench` compares with.

What would take hours is measured on a few repetitions and multiplied by its measured law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.polynomial.polynomial import polyval, polyvander
from scipy.optimize import nnls

from PETAnomalyLib.engine.benchmark.study import (
    MIN_BANDWIDTH,
    Sizes,
    masked_tokens,
    prepared_device,
    quickest_seconds,
)
from PETAnomalyLib.engine.families.vqgan_performer.dropout import DROPOUT
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN

MONAI_PREFIXES = (64, 216, 1024, 4096)  # tokens
MONAI_SAMPLED = 6  # tokens along an edge of what its inferer samples


@torch.inference_mode()
def _whole_prefix(
    sizes: Sizes, studies: Sequence[dict[str, Any]], device_name: str
) -> list[dict[str, Any]]:
    """(a) The research code's way: the whole prefix again for every masked token and sample."""
    device = prepared_device(device_name)
    performer = Performer(sizes.performer).eval().to(device)
    length = sizes.performer.length
    tokens = torch.zeros(1, length, dtype=torch.int64, device=device)
    context = tokens if sizes.performer.context_codebook else None
    conditioning = performer.condition(context)
    lengths = [length // 8, length // 2, length]
    seconds = [
        quickest_seconds(lambda n=n: performer.advance(tokens, conditioning, None, 0, n, True), 2)  # type: ignore[misc]
        for n in lengths
    ]
    slope, start = np.polyfit(lengths, seconds, 1)
    found = []
    for study in studies:
        prefixes = _masked(sizes, study) + 1
        row = _ratio(
            "whole prefix for each masked token",
            study,
            "resample",
            study["samples"] * float(np.sum(start + slope * prefixes)),
            f"{start:.4f} s + {slope:.3e} s a token of the prefix, measured at {lengths} tokens",
        )
        # Ours reads each token once for each sample: about half as often as tokens are masked.
        found.append(row | {"law": round(float(prefixes.sum() / prefixes[-1]), 1)})
    return found


@torch.inference_mode()
def _monai(
    sizes: Sizes, studies: Sequence[dict[str, Any]], device_name: str
) -> list[dict[str, Any]]:
    """(b) MONAI's inferer, with MONAI's own transformer of these layers, heads and width.

    For every token it calls that transformer on the whole prefix. One such call is what is timed,
    at prefixes long enough for attention's square to show: among a few hundred tokens, which is
    what the inferer itself can be given, it does not, and two runs differed fortyfold.
    """
    device = prepared_device(device_name)
    seconds = [_monai_call(sizes.performer, length, device) for length in MONAI_PREFIXES]
    terms = polyvander(np.array(MONAI_PREFIXES, float), 2)
    law = nnls(terms / np.array(seconds)[:, None], np.ones(len(seconds)))[0]
    sampled = _monai_sample(sizes.performer, device)
    expected = float(polyval(np.arange(1.0, MONAI_SAMPLED**3 + 1), law).sum())
    return [
        _ratio(
            "MONAI VQVAETransformerInferer",
            study,
            "resample",
            study["samples"] * float(polyval(_masked(sizes, study) + 1.0, law).sum()),
            f"{law[0]:.2e} + {law[1]:.2e} l + {law[2]:.2e} l^2 s for a token with prefix l, "
            f"measured at {list(MONAI_PREFIXES)}; its sampling of {MONAI_SAMPLED**3} tokens took "
            f"{sampled / expected:.2f} times what this law says; no context, its own weights",
        )
        for study in studies
    ]


def _monai_transformer(sizes: PerformerSizes, length: int) -> Any:
    from monai.networks.nets import DecoderOnlyTransformer

    return DecoderOnlyTransformer(
        num_tokens=sizes.codebook + 1,
        max_seq_len=length,
        attn_layers_dim=sizes.width,
        attn_layers_depth=sizes.layers,
        attn_layers_heads=sizes.heads,
    ).eval()


def _monai_call(sizes: PerformerSizes, length: int, device: torch.device) -> float:
    """Seconds of MONAI's transformer on a prefix of `length` tokens."""
    transformer = _monai_transformer(sizes, length).to(device)
    tokens = torch.zeros(1, length, dtype=torch.int64, device=device)
    return quickest_seconds(lambda: transformer(tokens), 2)


def _monai_sample(sizes: PerformerSizes, device: torch.device) -> float:
    """Seconds to sample MONAI_SAMPLED^3 tokens with MONAI's inferer."""
    from monai.inferers import VQVAETransformerInferer
    from monai.networks.nets import VQVAE
    from monai.utils.ordering import Ordering

    # Its last act is to decode: as small a network as can be, so that the transformer counts.
    vqvae = VQVAE(
        3,
        1,
        1,
        channels=(2,),
        num_res_layers=1,
        num_res_channels=(2,),
        downsample_parameters=((2, 4, 1, 1),),
        upsample_parameters=((2, 4, 1, 1, 0),),
        num_embeddings=sizes.codebook,
        embedding_dim=2,
    )
    size = (MONAI_SAMPLED, MONAI_SAMPLED, MONAI_SAMPLED)
    transformer = _monai_transformer(sizes, MONAI_SAMPLED**3).to(device)
    vqvae = vqvae.eval().to(device)
    ordering = Ordering("raster_scan", 3, (1, *size))
    begin = torch.full((1, 1), sizes.codebook, device=device)

    def sample() -> None:
        VQVAETransformerInferer().sample(size, begin, vqvae, transformer, ordering, verbose=False)

    return quickest_seconds(sample)


def _sklearn(
    sizes: Sizes, studies: Sequence[dict[str, Any]], device_name: str
) -> list[dict[str, Any]]:
    """(c) One scikit-learn density a voxel."""
    from sklearn.neighbors import KernelDensity

    prepared_device(device_name)
    voxels = 100
    found = []
    for study in (study for study in studies if "score" in study["seconds"]):
        n = study["samples"] * study["decodes"]
        values = np.random.default_rng(0).random((voxels, n))

        def fit_and_score(values: Any = values) -> None:
            for x in values:
                KernelDensity(bandwidth=MIN_BANDWIDTH).fit(x[:, None]).score_samples([[0.5]])

        each = quickest_seconds(fit_and_score, 2) / voxels
        found.append(
            _ratio(
                "sklearn KernelDensity for each voxel",
                study,
                "score",
                each * study["tokens"] * sizes.vqgan.stride**3,
                f"{each:.2e} s a voxel, measured on {voxels}; ours makes all three maps",
            )
        )
    return found


@torch.inference_mode()
def _full_decodes(
    sizes: Sizes, studies: Sequence[dict[str, Any]], device_name: str
) -> list[dict[str, Any]]:
    """(d) The whole decoder for every sample and every dropout pass."""
    device = prepared_device(device_name)
    vqgan = VQGAN(sizes.vqgan).eval().to(device)
    tokens = torch.zeros(1, *sizes.performer.grid, dtype=torch.int64, device=device)

    def once() -> None:
        vqgan.image(torch.nn.functional.dropout(vqgan.hidden(tokens), DROPOUT))

    each = quickest_seconds(once, 3)
    return [
        _ratio(
            "N x K full decodes",
            study,
            "decode",
            each * study["samples"] * study["decodes"],
            f"{each:.3f} s each, measured 3 times",
        )
        for study in studies
        if "decode" in study["seconds"]
    ]


PEERS: dict[str, Callable[..., list[dict[str, Any]]]] = {
    "(a) whole prefix": _whole_prefix,
    "(b) MONAI": _monai,
    "(c) scikit-learn": _sklearn,
    "(d) full decodes": _full_decodes,
}


def _masked(sizes: Sizes, study: dict[str, Any]) -> Any:
    """Raster positions of a study's masked tokens."""
    share = study["masked"] / study["tokens"]
    mask = masked_tokens(sizes.performer.grid, share, study["clustered"])
    return mask.numpy().nonzero()[0]


def _ratio(
    peer: str, study: dict[str, Any], stage: str, seconds: float, law: str
) -> dict[str, Any]:
    ours = study["seconds"][stage]
    return {
        "peer": peer,
        "stage": stage,
        **{key: study[key] for key in ("sizes", "samples", "masked", "clustered")},
        "seconds": round(seconds, 1),
        "extrapolated": law,
        "ours_seconds": ours,
        "ratio": round(seconds / ours, 1),
    }
