"""A checkpoint from elsewhere runs no code: it is read as tensors and plain values, or refused."""

from __future__ import annotations

import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.checkpoint_file import read_checkpoint, write_checkpoint
from PETAnomalyLib.engine.training.processes import join_processes


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_everything_that_a_stage_saves_comes_back(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, betas=(0.9, 0.98))
    network(torch.rand(4, 3)).sum().backward()
    optimizer.step()
    random = np.random.default_rng(7)
    random.random(11)
    state = {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "order": random.bit_generator.state,
        "unlikely": {"round": 1, "network": None},
    }
    write_checkpoint(tmp_path / "checkpoint.pt", 12, 3.5, state)
    step, seconds, read = read_checkpoint(tmp_path / "checkpoint.pt")
    assert (step, seconds) == (12, 3.5)
    assert read["order"] == state["order"]
    assert read["unlikely"] == state["unlikely"]
    assert read["optimizer"]["param_groups"] == state["optimizer"]["param_groups"]
    for name, value in network.state_dict().items():
        assert torch.equal(read["network"][name], value)
    again = np.random.default_rng(0)
    again.bit_generator.state = read["order"]
    assert again.random() == random.random()
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def saved(content: Any, path: Path) -> None:
    torch.save(content, path)


def saved_the_old_way(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def pickled(content: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


def zipped(content: Any, path: Path) -> None:
    """As TorchScript is told apart: by a file `constants.pkl`."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.pkl", "constants.pkl"):
            archive.writestr(f"archive/{name}", pickle.dumps(content))
        archive.writestr("archive/version", "3\n")


@pytest.mark.parametrize("write", [saved, saved_the_old_way, pickled, zipped])
@pytest.mark.parametrize("place", ["top", "network", "order", "key"])
def test_a_pickle_that_runs_code_is_not_run(
    tmp_path: Path, write: Callable[[Any, Path], None], place: str
) -> None:
    mark = tmp_path / "ran"
    whole: Any = {"step": 1, "elapsed_s": 1.0, "network": {}, "order": {}}
    bomb = Bomb(mark)
    if place == "top":
        whole = bomb
    elif place == "key":
        whole["x"] = {1: bomb}
    else:
        whole[place] = bomb
    write(whole, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt") as error:
        read_checkpoint(tmp_path / "checkpoint.pt")
    assert error.value.hint
    assert not mark.exists()


def test_torchscript_is_not_run(tmp_path: Path) -> None:
    torch.jit.trace(torch.nn.Linear(2, 2), torch.rand(1, 2)).save(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="damaged"):
        read_checkpoint(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize(
    "content",
    [
        [],
        torch.zeros(2),
        {},
        {"step": 1},
        {"step": "1", "elapsed_s": 1.0},
        {"step": True, "elapsed_s": 1.0},
        {"step": -1, "elapsed_s": 1.0},
        {"step": 1, "elapsed_s": float("nan")},
        {"step": 1, "elapsed_s": torch.zeros(1)},
        {"step": 1, "elapsed_s": 1.0, 7: 8},
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="damaged"):
        read_checkpoint(tmp_path / "checkpoint.pt")


def test_a_checkpoint_cut_or_changed_anywhere_is_refused_or_read_never_a_traceback(
    tmp_path: Path,
) -> None:
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, 3, 1.0, {"network": {"weight": torch.ones(2, 2)}})
    whole = path.read_bytes()
    random = np.random.default_rng(1)
    for position in random.integers(0, len(whole), 150):
        changed = bytearray(whole)
        changed[position] ^= 1 << int(random.integers(8))
        for content in (whole[:position], bytes(changed)):
            path.write_bytes(content)
            try:
                read_checkpoint(path)
            except InputError as error:
                assert "checkpoint.pt" in error.message  # noqa: PT017 - either outcome is right


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="damaged"):
        read_checkpoint(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"network": {"weight": torch.ones(9, 9), "bias": torch.ones(9)}},
        {"network": {"other": torch.ones(2, 3)}},
        {"network": 5},
        {"network": [1]},
    ],
)
def test_the_state_of_another_run_is_refused(tmp_path: Path, state: dict[str, Any]) -> None:
    run = Run(tmp_path, steps=10, minutes=None, fabric=join_processes())
    run.step = 4
    run.save(state)
    resumed = Run(tmp_path, steps=10, minutes=None, fabric=run.fabric)
    state = resumed.resume()
    assert resumed.step == 4
    network = torch.nn.Linear(3, 2)
    with pytest.raises(InputError, match=r"checkpoint\.pt is not of this run"), resumed.restoring():
        network.load_state_dict(state["network"])
