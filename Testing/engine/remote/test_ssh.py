"""What ssh is called with, and what its complaints mean."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.remote.ssh import OtherComputer, environment, explain
from PETAnomalyLib.engine.runtime.errors import InputError


@pytest.fixture(autouse=True)
def ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PETAnomalyLib.engine.remote.ssh._ssh", lambda: "/usr/bin/ssh")


WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(program=WORDS.filter(lambda w: w.strip() and not w.startswith("~")), words=st.lists(WORDS))
def test_a_shell_there_gives_every_word_as_it_was_meant(program: str, words: list[str]) -> None:
    command = OtherComputer("gpu", program, shlex.join(words)).command()
    assert command[-3:-1] == ["--", "gpu"]
    split = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\0' {command[-1]}"], capture_output=True, check=True
    )
    found = split.stdout.decode("utf-8").split("\0")[:-1]
    assert found == [*words, program, "remote", "serve"]


def test_the_home_there_is_that_users() -> None:
    command = OtherComputer("gpu", "~/my venv/bin/petanomaly").command()[-1]
    assert command == "~/'my venv/bin/petanomaly' remote serve"


def test_it_asks_for_nothing() -> None:
    assert "BatchMode=yes" in OtherComputer("gpu").command()


@pytest.mark.parametrize("host", ["-oProxyCommand=id", "", "a b", "a\nb", "gpu\x00"])
def test_a_host_that_ssh_would_take_for_something_else_is_refused(host: str) -> None:
    with pytest.raises(InputError, match="no name of a computer"):
        OtherComputer(host).command()


def test_words_with_an_open_quotation_mark_are_refused() -> None:
    with pytest.raises(InputError, match="cannot be understood"):
        OtherComputer("gpu", before="srun 'x").command()


def test_without_slicers_launcher_the_environment_is_as_it_is() -> None:
    mine = {"PATH": "/bin", "LD_LIBRARY_PATH": "/opt/lib", "PYTHONPATH": "/p"}
    assert environment(mine) == mine


def test_what_slicers_launcher_put_there_is_taken_out_and_what_it_found_comes_back() -> None:
    """Names of ctkAppLauncherEnvironment.cpp."""
    slicers = {
        "APPLAUNCHER_LEVEL": "1",
        "PATH": "/Slicer/bin:/usr/bin",
        "APPLAUNCHER_0_PATH": "/usr/bin",
        "LD_LIBRARY_PATH": "/Slicer/lib",
        "PYTHONHOME": "/Slicer/lib/Python",
        "QT_PLUGIN_PATH": "/Slicer/plugins",
        "SSH_AUTH_SOCK": "/run/agent",
    }
    assert environment(slicers) == {"PATH": "/usr/bin", "SSH_AUTH_SOCK": "/run/agent"}
    earlier = {**slicers, "APPLAUNCHER_0_LD_LIBRARY_PATH": "/opt/lib"}
    assert environment(earlier)["LD_LIBRARY_PATH"] == "/opt/lib"


@pytest.mark.parametrize(
    ("code", "said", "meant"),
    [
        (255, "Permission denied (publickey).", "does not accept any of your keys"),
        (255, "Host key verification failed.", "host key of gpu is not known"),
        (255, "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", "another host key"),
        (255, "ssh: Could not resolve hostname gpu: Name not known.", "cannot be reached: Could"),
        (127, "sh: 1: petanomaly: not found", "There is no program petanomaly on gpu"),
        (2, "error: argument COMMAND: invalid choice: 'remote'", "another version"),
        (1, "something\nelse went wrong\n", "did not start petanomaly: else went wrong"),
        (None, "", "did not start petanomaly: code None"),
    ],
)
def test_a_complaint_is_explained(code: int | None, said: str, meant: str) -> None:
    error = explain(OtherComputer("gpu"), code, said)
    assert meant in error.message
    assert error.hint
