"""What every room stands on: errors, events, cancellation, output, workers, devices.

Knows nothing of scans. May use no other room.
"""
