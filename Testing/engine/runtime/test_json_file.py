"""JSON that would break a parser, or whoever prints what it held, wherever JSON is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine import cli
from PETAnomalyLib.engine.phantom.truth import anatomy_of_phantom, describes
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.json_file import DEEPEST, parse_json, read_json
from PETAnomalyLib.engine.training.curves import entries

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(JSON)
def test_what_was_written_is_read(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value


BRACKETS: tuple[Callable[[int], str], ...] = (
    lambda n: "[" * n + "]" * n,
    lambda n: '{"a":' * n + "1" + "}" * n,
    lambda n: '{"a":[' * (n // 2) + "]}" * (n // 2),
)


@pytest.mark.parametrize("nested", BRACKETS)
@pytest.mark.parametrize("depth", [DEEPEST + 2, 100, 900, 5_000, 200_000])
def test_what_is_nested_too_deep_is_refused_at_any_depth(
    nested: Callable[[int], str], depth: int
) -> None:
    parse_json(nested(DEEPEST))
    with pytest.raises(ValueError, match=f"nested more than {DEEPEST} deep"):
        parse_json(nested(depth))


HOSTILE = {
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 900 + "1" + "}" * 900,
    "cut": '{"seed": 1, "lesions": [',
    "no UTF-8": "\udcff",
    "huge number": "1" * 10_000,
    "another type": "[1, 2]",
    "nothing": "",
}


def write(path: Path, kind: str) -> Path:
    path.write_bytes(HOSTILE[kind].encode("utf-8", "surrogateescape"))
    return path


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("option", ["train --config", "export --config", "export --calibration"])
def test_no_configuration_is_a_traceback(
    kind: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile, good = write(tmp_path / "hostile.json", kind), tmp_path / "good.json"
    good.write_text("{}")
    config = good if option == "export --calibration" else hostile
    words = {
        "train": ["train", "vqgan", "--cohort", str(tmp_path), "--config", str(config)],
        "export": ["export", "--config", str(config), "--runs", str(tmp_path)],
    }[option.partition(" ")[0]]
    more = ["--calibration", str(hostile)] if option == "export --calibration" else []
    assert cli.main([*words, *more, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert str(hostile) in said
    assert not (tmp_path / "out").exists()


OTHER_DESCRIPTIONS = {
    "words": {"seed": "one", "lesions": []},
    "a negative seed": {"seed": -1, "lesions": []},
    "a huge seed": {"seed": 10**40, "lesions": []},
    "lesions without a place": {"seed": 1, "lesions": [{"site": "liver"}]},
    "lesions without a site": {"seed": 1, "lesions": [{"centre_lps_mm": [1, 2, 3]}]},
    "two coordinates": {"seed": 1, "lesions": [{"site": "liver", "centre_lps_mm": [1, 2]}]},
    "no coordinates": {"seed": 1, "lesions": [{"site": "x", "centre_lps_mm": ["a", "b", "c"]}]},
    "a number": {"seed": 1, "lesions": 3},
}


@pytest.mark.parametrize("kind", [*HOSTILE, *OTHER_DESCRIPTIONS])
def test_another_programs_description_beside_a_pet_makes_no_phantom_of_it(
    kind: str, tmp_path: Path
) -> None:
    pet = tmp_path / "SUV.nii.gz"
    pet.touch()
    if kind in HOSTILE:
        write(tmp_path / "description.json", kind)
    else:
        (tmp_path / "description.json").write_text(json.dumps(OTHER_DESCRIPTIONS[kind]))
    assert describes(pet) is None
    assert anatomy_of_phantom(pet, sitk.Image(2, 2, 2, sitk.sitkFloat32)) is None


@pytest.mark.parametrize("kind", [*HOSTILE, "no step", "words"])
def test_the_curves_of_a_damaged_log_are_refused_by_line(kind: str, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    good = json.dumps({"step": 1, "seconds": 0.5, "loss": 2.0}) + "\n"
    more = {"no step": '{"loss": 1}', "words": '{"step": 1, "seconds": "x"}'}
    line = (more | HOSTILE)[kind].encode("utf-8", "surrogateescape")
    log.write_bytes(good.encode() + line + b"\n")
    with pytest.raises(InputError, match=r"log\.jsonl is damaged"):
        entries(log)
    log.write_bytes(good.encode() + b'{"step": 2, "sec')  # torn by a kill
    assert [entry["step"] for _, entry in entries(log)] == [1]


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"no regular file|Is a directory"):
        read_json(tmp_path)
