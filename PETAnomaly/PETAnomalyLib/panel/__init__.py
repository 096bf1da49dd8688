"""The Slicer module's panel. Never imports torch: the engine runs in a process of its own.

From the top: `widget.py`, then the rooms `sections`, `jobs`, `scene`, `environment`; on the ground
`parameters.py`, `settings.py` and `background.py`, which every room may use.
"""
