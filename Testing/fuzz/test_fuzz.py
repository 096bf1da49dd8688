"""The fuzzer: what it finds in this engine (nothing), and in one that is known to be wrong."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fuzz.campaign import IMAGE_FILES, TESTING, Campaign, Finding, cases
from fuzz.case import Case, Special

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="watches the reader's process in /proc"
)

# What ITK does alone, and this engine did up to commit d4fb807 (issue 24, points 1, 2, 9, 16, 17).
KNOWN_FAULTS: dict[str, Callable[[Finding], bool]] = {
    "the file of a similar name is read": lambda found: (
        "sibling" in found.case.story and "voxels" in found.fault
    ),
    "damaged gzip is taken": lambda found: found.fault.endswith("refused: gzip"),
    "geometry that contradicts itself is taken": lambda found: any(
        word in found.fault for word in ("sform", "pixdim", "perpendicular")
    ),
    "the process crashes": lambda found: "crashes" in found.fault,
    "memory or time is taken on a header's word": lambda found: "takes more than" in found.fault,
    "a pipe is waited for": lambda found: "waits" in found.fault,
}


def test_a_seed_gives_the_same_cases_again() -> None:
    once, again = list(cases(7)), list(cases(7))
    assert [(case.story, case.files) for case in once] == [
        (case.story, case.files) for case in again
    ]


def fuzz(*options: str) -> str:
    """In a process of its own, whose cases do not hang on what other tests have imported."""
    ended = subprocess.run(
        [sys.executable, "-m", "fuzz", *options], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTING), str(TESTING / "support")])},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_nothing_is_found_in_a_few_cases() -> None:
    told = fuzz("--seed", "0", "--seeds", "5")
    cases, refused = map(int, re.findall(r"\d+(?= cases| refused)", told))
    assert 0 < refused < cases


@pytest.mark.slow
def test_nothing_is_found_in_many_cases() -> None:
    """The same every time: `make fuzz` looks for new ones."""
    fuzz("--seed", "5", "--seeds", "250")


@pytest.mark.slow
def test_what_itk_does_alone_is_found() -> None:
    left = dict(KNOWN_FAULTS)
    with Campaign(None) as campaign:
        for case, seed, number in until_found(left):
            finding = campaign.read(case, seed, number)
            for fault in [fault for fault, shows in left.items() if finding and shows(finding)]:
                del left[fault]
    assert not left


def until_found(left: dict[str, Any]) -> Iterator[tuple[Case, int, int]]:
    """Cases, for five minutes at most; none that only a wait of seconds can show, once one has."""
    until = time.monotonic() + 300
    for seed in itertools.count():
        for number, case in enumerate(cases(seed, IMAGE_FILES)):
            if not left or time.monotonic() > until:
                return
            waits = any(isinstance(content, Special) for content in case.files.values())
            if "a pipe is waited for" in left or not waits:
                yield case, seed, number
