"""Where the repository's parts lie, for every test."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "PETAnomaly"
TESTING = ROOT / "Testing"
SHARED_DATA = ROOT.parent / "shared" / "data"
"""Real scans and reference objects, beside the repository; not everybody has them."""
