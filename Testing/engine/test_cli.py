"""The command line as a real process: what it accepts, what it says, how it ends."""

from __future__ import annotations

import argparse
import errno
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk
from engine_process import environment, petanomaly_command, run_petanomaly, start_python
from PETAnomalyLib import __version__
from PETAnomalyLib.engine import cli
from PETAnomalyLib.engine.runtime.errors import InputError

DETECT = ("detect", "--pet", "pet.nii.gz", "--out", "result")


def test_the_version_is_the_packages() -> None:
    run = run_petanomaly("--version")
    assert (run.returncode, run.stdout) == (0, f"petanomaly {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("detect",),
        ("models",),
        ("models", "list"),
        ("models", "show"),
        ("models", "verify"),
        ("models", "add"),
        ("suv",),
        ("phantom",),
        ("train",),
        ("calibrate",),
        ("export",),
        ("evaluate",),
    ],
)
def test_every_command_explains_itself(arguments: tuple[str, ...]) -> None:
    run = run_petanomaly(*arguments, "--help")
    assert run.returncode == 0
    assert run.stdout.startswith("usage: petanomaly")


def test_detect_accepts_every_option_of_the_contract() -> None:
    line = (
        "detect --pet P --ct C --out D --model M --scorer zscore --samples 3 --decodes 2 --seed 7 "
        "--device cuda:1 --threshold -2.5 --grow 0.41 --min-volume 0.5 --keep-reconstructions "
        "--anonymous --events"
    )
    options = vars(cli.parser().parse_args(line.split()))
    assert {name: options[name] for name in options if name not in {"run", "cancellable"}} == {
        "pet": Path("P"),
        "ct": Path("C"),
        "out": Path("D"),
        "model": "M",
        "scorer": "zscore",
        "samples": 3,
        "decodes": 2,
        "seed": 7,
        "device": "cuda:1",
        "threshold": -2.5,
        "grow": 0.41,
        "min_volume_ml": 0.5,
        "keep_reconstructions": True,
        "anonymous": True,
        "events": True,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["resect"], "'resect' (choose from"),
        (["detect", "--out", "d"], "--pet"),
        (["detect", "--pet", "p"], "--out"),
        (["detect", "--pet", "", "--out", "d"], "--pet: the path is empty"),
        ([*DETECT, "--scorer", "svm"], "no scorer 'svm'; there are kde, zscore, residual"),
        ([*DETECT, "--device", "tpu"], "no device 'tpu'; there are auto, cpu, cuda"),
        ([*DETECT, "--device", "cuda:x"], "no device 'cuda:x'"),
        ([*DETECT, "--samples", "0"], "--samples: '0' is not a whole number from 1 to 1000"),
        ([*DETECT, "--samples", "2.5"], "'2.5' is not a whole number"),
        ([*DETECT, "--decodes", "100000"], "--decodes: '100000'"),
        ([*DETECT, "--seed", "-1"], "--seed: '-1'"),
        ([*DETECT, "--threshold", "nan"], "--threshold: 'nan' is not a number"),
        ([*DETECT, "--threshold", "inf"], "--threshold: 'inf' is not a number"),
        ([*DETECT, "--grow", "1.5"], "--grow: '1.5' is not a number from 0 to 1"),
        ([*DETECT, "--min-volume", "-1"], "--min-volume: '-1' is not a number of at least 0"),
        ([*DETECT, "--sample", "4"], "--sample"),  # no abbreviations
        ([*DETECT, "--turbo"], "--turbo"),
        (["models", "remove"], "'remove'"),
        (["models", "show"], "NAME"),
        (["suv", "dicom"], "--out"),
        (["phantom", "--out", "d", "--count", "0", "--seed", "1"], "--count: '0'"),
        (["phantom", "--out", "d", "--count", "1", "--seed", "x"], "--seed: 'x'"),
        (["train", "resnet", "--cohort", "c"], "invalid choice: 'resnet' (choose from"),
        (["train", "vqgan", "--cohort", "c", "--config", "f"], "--out"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_was_wrong_in_plain_words(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "--help" in err
    assert "Traceback" not in err


def test_wrong_usage_is_an_event_for_a_program() -> None:
    run = run_petanomaly(*DETECT, "--scorer", "svm", "--events")
    assert run.returncode == 2
    event = json.loads(run.stdout)
    assert set(event) == {"event", "kind", "message", "hint"}
    assert (event["event"], event["kind"]) == ("error", "usage")
    assert "kde, zscore, residual" in event["message"]


def test_models_list_is_quick_and_imports_neither_torch_nor_an_image_library() -> None:
    run = run_petanomaly("models", "list")
    assert run.returncode == 0, run.stderr
    script = (
        "import sys, time; start = time.process_time()\n"
        "from PETAnomalyLib.engine.cli import main; main(['models', 'list'])\n"
        "heavy = {'torch', 'monai', 'SimpleITK', 'scipy'} & set(sys.modules)\n"
        "print(sorted(heavy), time.process_time() - start < 1, file=sys.stderr)"
    )
    _, err = start_python(["-c", script]).communicate(timeout=60)
    assert err.splitlines()[-1] == "[] True"


def test_detection_needs_nothing_that_is_installed_for_training_alone() -> None:
    script = (
        "import sys\n"
        "for name in ('lightning_fabric', 'matplotlib', 'tensorboard'): sys.modules[name] = None\n"
        "import PETAnomalyLib.engine.detection, PETAnomalyLib.engine.families.healer\n"
        "import PETAnomalyLib.engine.families.networks\n"
        "print([m for m in sys.modules if 'engine.training' in m], file=sys.stderr)"
    )
    _, err = start_python(["-c", script]).communicate(timeout=300)
    assert err.splitlines()[-1] == "[]"


def test_models_list_and_show_as_json_agree() -> None:
    run = run_petanomaly("models", "list", "--json")
    models = json.loads(run.stdout)
    for model in models:
        shown = json.loads(run_petanomaly("models", "show", model["name"], "--json").stdout)
        assert {name: shown[name] for name in model} == model
        assert shown["metadata"]["petanomaly"]["format"] == 1


def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    run = run_petanomaly("models", "show", "lung-wizard")
    assert run.returncode == 2
    assert "lung-wizard" in run.stderr
    assert "Installed:" in run.stderr


@pytest.mark.slow
def test_a_phantom_cohort_lies_in_the_autopet_layout_and_is_described_as_json(
    tmp_path: Path,
) -> None:
    out = tmp_path / "Kohorte ü"
    run = run_petanomaly("phantom", "--out", out, "--count", 1, "--seed", 1234567, "--json")
    assert run.returncode == 0, run.stderr
    (study,) = json.loads(run.stdout)
    folder = Path(study["path"])
    assert folder.relative_to(out).parts[0] == study["patient"]
    sizes = {sitk.ReadImage(str(folder / f"{name}.nii.gz")).GetSize() for name in
             ("SUV", "CTres", "SEG")}  # fmt: skip
    assert len(sizes) == 1


def test_an_interrupted_phantom_run_exits_4(tmp_path: Path) -> None:
    process = start_python(petanomaly_command("phantom", "--out", tmp_path, "--count", 1000,
                                              "--seed", 0))  # fmt: skip
    assert process.stderr is not None
    assert "phantoms" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "Traceback" not in err


def test_suv_writes_the_file_and_names_the_factor(tmp_path: Path, real_data: Path) -> None:
    out = tmp_path / "mit Leerzeichen" / "SÜV.nii.gz"
    run = run_petanomaly("suv", real_data / "wholebody-pet-sts001" / "dicom", "--out", out)
    assert run.returncode == 0, run.stderr
    assert "0.000242903" in run.stderr
    assert sitk.ReadImage(str(out)).GetSize()[2] == 267


def test_a_terminated_conversion_leaves_no_file_and_exits_4(
    tmp_path: Path, real_data: Path
) -> None:
    """It takes two seconds on a fast machine: one that was done by then left a whole file."""
    dicom = real_data / "wholebody-pet-sts001" / "dicom"
    stopped = 0
    for moment in (0.5, 1.0, 1.5):
        folder = tmp_path / str(moment)
        folder.mkdir()
        process = start_python(petanomaly_command("suv", dicom, "--out", folder / "suv.nii.gz"))
        time.sleep(moment)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        if process.returncode == 0:
            assert [path.name for path in folder.iterdir()] == ["suv.nii.gz"]
            assert sitk.ReadImage(str(folder / "suv.nii.gz")).GetSize()[2] == 267
        else:
            assert process.returncode in (4, -signal.SIGTERM)
            assert list(folder.iterdir()) == []
            stopped += 1
    assert stopped


def make_only_command(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., None], cancellable: bool
) -> None:
    """`petanomaly fail` alone, which does `run`."""

    def add_failing(subcommands: Any) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = subcommands.add_parser("fail")
        parser.add_argument("--events", action="store_true")
        parser.set_defaults(run=run, cancellable=cancellable)
        return parser

    monkeypatch.setattr(cli, "commands", lambda: (add_failing,))


def test_a_signal_that_a_library_turns_into_another_error_is_a_cancellation_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As NumPy's import does."""

    def fail(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            time.sleep(10.0)
        except BaseException as error:
            raise ImportError("cannot load module more than once per process") from error

    before = signal.getsignal(signal.SIGTERM)
    make_only_command(monkeypatch, fail, cancellable=False)
    assert cli.main(["fail"]) == 4
    assert capfd.readouterr().err == "petanomaly: Stopped on request.\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (KeyboardInterrupt(), 4, "cancelled"),
        (MemoryError(), 3, "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 TB"), 3, "memory"),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), 2, "input"),
        (PermissionError(errno.EACCES, "Permission denied", "/tmp/x"), 2, "input"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "n" * 300), 2, "input"),
        (OSError("no file, no number"), 1, "bug"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, "missing-package"),
        (ModuleNotFoundError("?", name="PETAnomalyLib.engine.gone"), 1, "bug"),
        (ZeroDivisionError("division by zero"), 1, "bug"),
        (InputError("The PET is empty."), 2, "input"),
    ],
)
def test_every_failure_has_its_exit_code_and_kind_and_only_a_bug_a_traceback(
    error: BaseException,
    code: int,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    make_only_command(monkeypatch, fail, cancellable=True)
    assert cli.main(["fail", "--events"]) == code
    out, err = capfd.readouterr()
    assert json.loads(out)["kind"] == kind
    assert ("Traceback" in err) == (kind == "bug")
    assert cli.main(["fail"]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert "petanomaly: " in err


def test_torch_that_is_missing_is_said_with_the_remedy(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"  # what Python does for a package that is absent
        "from PETAnomalyLib.engine.cli import main\n"
        f"sys.exit(main(['detect', '--pet', 'p', '--out', {str(tmp_path / 'o')!r}, '--events']))"
    )
    out, _ = start_python(["-c", script]).communicate(timeout=60)
    event = json.loads(out)
    assert event["kind"] == "missing-package"
    assert "torch" in event["message"]
    assert "setup_torch.py" in event["hint"]


def test_a_reader_that_closes_stdout_early_sees_no_traceback(tmp_path: Path) -> None:
    pipeline = subprocess.run(
        f"{sys.executable} -m PETAnomalyLib.engine --help | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        check=False,
    )
    assert pipeline.stdout == "u"
    assert pipeline.stderr == ""


def test_a_terminal_without_unicode_gets_substitutes_instead_of_a_crash() -> None:
    run = subprocess.run(
        [sys.executable, *petanomaly_command("models", "verify", "/Größe 患者")],
        capture_output=True,
        env={**environment(), "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert run.returncode == 2
    assert b"Gr??e ??" in run.stderr
