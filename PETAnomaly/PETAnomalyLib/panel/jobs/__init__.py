"""Errands for the engine: detection, SUV, sample study, and the process that runs them.

An errand (`task`) writes a study into a `run_folder`, starts a `run` and places what it left. A run
is a `process`, told by its `events`, with a `run_outcome`; `cancellation` ends it, and the
`watchdog` ends it when Slicer is gone.

May use: scene, environment.
"""
