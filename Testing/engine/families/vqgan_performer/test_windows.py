"""The third form of the transformer, a window of each of many rows, against the other two."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.windows import (
    Windows,
    joined,
    remember_first,
)
from small_performer import SMALL, random_tokens, restless

PAPER = PerformerSizes((27, 21, 26), 64, 256)
BODY = 90  # of its 14,742 tokens, so that a test takes a second


def inputs_of(
    performer: Performer, tokens: torch.Tensor, context: torch.Tensor | None, body: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of the whole sequence, and what went into its first layer: 1 x S x width."""
    seen: list[torch.Tensor] = []
    hook = performer.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    logits = performer(tokens, context, body)
    hook.remove()
    return logits, seen[0]


@torch.no_grad()
@pytest.mark.parametrize("sizes", [SMALL, replace(SMALL, context_codebook=0), PAPER])
def test_windows_give_the_logits_and_the_states_of_the_other_forms(sizes: PerformerSizes) -> None:
    if sizes is PAPER:
        performer = Performer(sizes).eval()
        for layer in performer.layers:  # as large as after training
            layer.self_attention.output.weight.mul_(10)
            layer.cross_attention.output.weight.mul_(10)
    else:
        performer = restless(sizes)
    body = torch.arange(sizes.length) % (sizes.length // BODY) == 0
    starts, counts, places = (1, 40, 61), (1, 17, 29), 29
    rows = []
    for seed, start in enumerate(starts):
        tokens, context = random_tokens(sizes, seed)
        given = context if sizes.context_codebook else None
        conditioning = performer.condition(given, body=body)
        logits, inputs = inputs_of(performer, tokens, given, body)
        before = performer.advance(tokens, conditioning, None, 0, start)[1]
        after = performer.advance(tokens, conditioning, None, 0, start + counts[seed])[1]
        context_states = [joined(state) for state in conditioning.context]
        window = slice(start, start + places)
        rows.append((logits[0, window], inputs[0, window], before, after, context_states))

    states = [torch.stack([joined(row[2][n]) for row in rows], 1) for n in range(sizes.layers)]
    contexts = [torch.stack([row[4][n] for row in rows], 1) for n in range(len(rows[0][4]))]
    hidden, keys = Windows(performer)(torch.stack([row[1] for row in rows]), states, contexts)
    found = performer.logits(performer.norm(hidden))
    assert torch.allclose(found, torch.stack([row[0] for row in rows]), atol=1e-4)
    assert found.std() > 0.1

    for n, (state, of_layer) in enumerate(zip(states, keys)):
        remember_first(state, of_layer, torch.tensor(counts))
        expected = torch.stack([joined(row[3][n]) for row in rows], 1)
        assert torch.allclose(state, expected, rtol=1e-4, atol=1e-4)
