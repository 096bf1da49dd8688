"""Tests of what is made of the template that the package nilearn carries (extra `brain`)."""

from __future__ import annotations

import importlib.util

import pytest

needs_nilearn = pytest.mark.skipif(
    importlib.util.find_spec("nilearn") is None,
    reason="nilearn is not installed: pip install 'petanomaly[brain]'",
)
