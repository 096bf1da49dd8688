"""What a finding is, said on its own segment: number, verdict, comment.

Tags go with the segment through undo, saving and loading; its place in the segmentation does not
(undo puts a segment that was deleted where it likes). A comment is percent-encoded: the .seg.nrrd
header separates tags by "|" and lines.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import vtk

from PETAnomalyLib.engine.findings.segmentation import NUMBER_TAG
from PETAnomalyLib.engine.findings.verdict import UNSURE, VERDICTS

VERDICT_TAG = "PETAnomaly.Verdict"
COMMENT_TAG = "PETAnomaly.Comment"


def numberOf(segment: Any) -> int | None:
    """The finding's number; None for a segment that is none yet."""
    text = _tag(segment, NUMBER_TAG)
    return int(text) if text.isdecimal() else None


def setNumber(segment: Any, number: int) -> None:
    """Give the segment its number, for good."""
    _setTag(segment, NUMBER_TAG, str(number))


def verdictOf(segment: Any) -> str:
    """One of `verdict.VERDICTS`; `unsure` until a reader has said otherwise."""
    text = _tag(segment, VERDICT_TAG)
    return text if text in VERDICTS else UNSURE


def setVerdict(segment: Any, verdict: str) -> None:
    """Say what the finding is."""
    _setTag(segment, VERDICT_TAG, verdict)


def commentOf(segment: Any) -> str:
    """The reader's words."""
    return unquote(_tag(segment, COMMENT_TAG))


def setComment(segment: Any, comment: str) -> None:
    """One line; what separates lines or cells becomes a space."""
    _setTag(segment, COMMENT_TAG, quote(" ".join(comment.split()), safe=" "))


def _tag(segment: Any, name: str) -> str:
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""


def _setTag(segment: Any, name: str, value: str) -> None:
    if _tag(segment, name) != value:  # a segment that is touched can't be redone any more
        segment.SetTag(name, value)
