"""The processes of one training: one alone, or many under torchrun or Slurm (Lightning Fabric).

A batch is that of all processes together. Each takes its part of it, and what is drawn at random is
drawn for each item by itself, so that the number of processes changes how long a step takes and not
what it does.
"""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from torch import Tensor

from PETAnomalyLib.engine.runtime.errors import InputError


def join_processes() -> Fabric:
    """This process among those of its training, on its own graphics card where there is one.

    Mixed precision (bfloat16, which needs no scaling of the loss) where the card has it.
    """
    machines, processes = _launched()
    cuda = torch.cuda.is_available()
    fabric = Fabric(
        accelerator="cuda" if cuda else "cpu",
        devices=processes,
        num_nodes=machines,
        strategy="ddp" if machines * processes > 1 else "auto",
        precision="bf16-mixed" if cuda and torch.cuda.is_bf16_supported() else "32-true",
    )
    fabric.launch()
    return fabric


def _launched() -> tuple[int, int]:
    """Machines, and processes on each."""
    if TorchElasticEnvironment.detect():
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        return int(os.environ["WORLD_SIZE"]) // here, here
    if SLURMEnvironment.detect():
        here = int(os.environ.get("SLURM_NTASKS_PER_NODE", "1"))
        return int(os.environ["SLURM_NTASKS"]) // here, here
    return 1, 1


def own_part(fabric: Fabric, batch: int) -> range:
    """Which items of every batch are this process's.

    Raises:
        InputError: the processes cannot share them evenly.
    """
    if batch % fabric.world_size:
        raise InputError(
            f"a batch of {batch} cannot be shared evenly by {fabric.world_size} processes",
            "change the configuration's batch, or the number of processes",
        )
    part = batch // fabric.world_size
    return range(fabric.global_rank * part, (fabric.global_rank + 1) * part)


def gathered(fabric: Fabric, rows: Tensor) -> Tensor:
    """The rows of all processes, in the order of the batch."""
    every = fabric.all_gather(rows)
    assert isinstance(every, Tensor)  # as what went in
    return every.flatten(0, 1) if fabric.world_size > 1 else every


def mean(fabric: Fabric, values: Tensor) -> Tensor:
    """Of the processes' values, element by element."""
    reduced = fabric.all_reduce(values.clone(), reduce_op="mean")  # it would work in place
    assert isinstance(reduced, Tensor)  # as what went in
    return reduced


def largest(fabric: Fabric, value: float) -> float:
    """The largest of the processes' values: on what it says they agree."""
    values = torch.tensor(value, device=fabric.device)
    return float(fabric.all_reduce(values, reduce_op="max"))  # type: ignore[arg-type]  # as what went in


def variance(fabric: Fabric, images: Tensor) -> Tensor:
    """Of the whole batch's voxels."""
    average, square = mean(fabric, torch.stack([images.mean(), images.square().mean()]))
    return square - average**2
