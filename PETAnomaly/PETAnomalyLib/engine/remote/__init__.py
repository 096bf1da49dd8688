"""Detection on another computer: the system's own ssh, and what runs at its two ends.

`near_side` is what the user started, `far_side` what ssh starts there (`petanomaly remote serve`).
Between them go `frames`: heartbeats, events, and files (`transfer`). `run_folder` is where the
study lies there, and does not stay.

May use: bundles, study, runtime.
"""
