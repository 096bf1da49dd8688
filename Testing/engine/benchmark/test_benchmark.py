"""What `petanomaly bench` counts and prints; never how fast anything is."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from PETAnomalyLib.engine.benchmark import benchmark
from PETAnomalyLib.engine.benchmark.peers import PEERS
from PETAnomalyLib.engine.benchmark.study import (
    CLUSTERS,
    DECODES,
    Sizes,
    Study,
    masked_tokens,
    measure_study,
    performer_multiplications,
)
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.families.vqgan_performer.decoding import decoder_multiplications
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.runtime.console import ConsoleReporter
from scipy import ndimage
from torch.utils.flop_counter import FlopCounterMode

GRID = (6, 5, 4)
TINY = Sizes(
    "tiny",
    VQGANSizes((2, 3), 8, 4, 1),
    PerformerSizes(GRID, 8, 8, layers=2, heads=2, width=8, features=6, feedforward=2),
)


@pytest.mark.parametrize("share", [0.005, 0.03, 0.1])
@pytest.mark.parametrize("clustered", [False, True])
def test_the_share_that_is_masked_is_the_one_asked_for(share: float, clustered: bool) -> None:
    grid = (27, 21, 26)
    mask = masked_tokens(grid, share, clustered)
    assert int(mask.sum()) == round(share * np.prod(grid))
    _, clusters = ndimage.label(mask.view(grid).numpy())
    assert (clusters <= CLUSTERS) == clustered
    assert torch.equal(mask, masked_tokens(grid, share, clustered))


@torch.no_grad()
def test_multiplications_of_the_decoder_are_those_that_torch_counts() -> None:
    vqgan = VQGAN(TINY.vqgan).eval()
    with FlopCounterMode(display=False) as counted:
        vqgan.image(vqgan.hidden(torch.zeros(1, *GRID, dtype=torch.int64)))
    assert sum(decoder_multiplications(vqgan, GRID, 1)) == counted.get_total_flops() / 2


@torch.no_grad()
def test_multiplications_of_the_transformer_are_most_of_those_that_torch_counts() -> None:
    sizes = TINY.performer
    performer = Performer(sizes).eval()
    tokens = torch.zeros(1, sizes.length, dtype=torch.int64)
    conditioning = performer.condition(tokens)
    states = performer.advance(tokens, conditioning, None, 0, 1)[1]
    with FlopCounterMode(display=False) as counted:
        performer.advance(tokens, conditioning, states, 1, 2)
    # What is left out: the logits, the denominators, and what a token has with itself.
    share = performer_multiplications(sizes) / (counted.get_total_flops() / 2)
    assert 0.85 < share <= 1


@pytest.mark.slow
def test_everything_that_is_promised_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("einops")
    whole, part = Study(TINY, 3, 0.1, True), Study(TINY, 3, 0.1, resampled=0.5)
    monkeypatch.setattr(benchmark, "SHIPPED", TINY)
    monkeypatch.setattr(benchmark, "QUICK", (whole, part))
    monkeypatch.setattr(benchmark, "_apart", lambda measure, *arguments: measure(*arguments))
    result = benchmark.benchmark("cpu", True, ConsoleReporter())
    json.dumps(result)
    assert len(result["studies"]) == 2
    # Two ways to resample for both studies, one each to score and to decode for the whole one.
    stages = [peer["stage"] for peer in result["peers"]]
    assert stages == ["resample"] * 4 + ["score", "decode"]
    assert [peer["law"] for peer in result["peers"] if "law" in peer] == [3.8, 6.1]
    assert result["doubling"]["masked"] == 100
    assert benchmark.as_table(result).count("(extrapolated)") == len(stages)


def test_a_peer_that_is_missing_is_said_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert main(["bench", "--quick"]) == 2
    assert "pip install scikit-learn" in capsys.readouterr().err


def test_of_a_part_of_the_sequence_only_resampling_is_measured() -> None:
    study = measure_study(Study(TINY, 3, 0.1, resampled=0.5), "cpu")
    assert set(study["seconds"]) == {"resample"}
    assert set(study["gflop"]) == {"resample"}
    assert study["gigabytes"] == {}
    rows = [PEERS[name](TINY, [study], "cpu") for name in ("(c) scikit-learn", "(d) full decodes")]
    assert rows == [[], []]


def test_a_study_is_measured_in_all_its_stages_and_printed() -> None:
    study: dict[str, Any] = measure_study(Study(TINY, 3, 0.1), "cpu")
    assert set(study["seconds"]) == {"encode", "likelihood", "resample", "decode", "score"}
    assert (study["tokens"], study["masked"]) == (120, 12)
    voxels = np.prod(GRID) * TINY.vqgan.stride**3
    assert study["gigabytes"]["score"] == pytest.approx(3 * DECODES * voxels * 4e-9)
    study["fraction_of_matmul_rate"] = {"resample": 0.5, "decode": 0.5}
    study["fraction_of_copy_rate"] = {"score": 0.37}
    peers = [
        row
        for name in ("(a) whole prefix", "(c) scikit-learn", "(d) full decodes")
        for row in PEERS[name](TINY, [study], "cpu")
    ]
    for row in peers:
        assert row["ours_seconds"] == study["seconds"][row["stage"]]
        assert row["extrapolated"]
    machine = {"device": "cpu", "threads": 1, "gflops": 50.0, "copy_gb_per_s": 9.0}
    table = benchmark.as_table(
        {
            "machine": machine,
            "studies": [study],
            "peers": peers,
            "doubling": {"masked": 9, "ratio": 1.5},
        }
    )
    assert table.count("(extrapolated)") == len(peers)
    assert "tiny" in table
    assert "(37%)" in table
