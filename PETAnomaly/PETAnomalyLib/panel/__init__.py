"""The Slicer module's panel. Never imports torch: the engine runs in a process of its own.

From the top: `widget.py`, then the rooms `sections`, `jobs`, `scene`, `environment`; on the ground
`parameters.py`, `settings.py` and `background.py`, which every room may use.

Slicer 5.10 and later (Qt 6, Python 3.12) is what is supported. The panel is tried in Slicer 5.8.1
too, so it keeps to what that one's API (Qt 5) has, and it and what it imports of the engine load in
Python 3.9: no `X | Y` outside annotations that `from __future__ import annotations` keeps from
being evaluated, no `match`, no `zip(strict=)`, no `dataclass(slots=, kw_only=)`.
"""
