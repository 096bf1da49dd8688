"""Errands for the engine: detection, SUV, sample study; the process that runs them, its watchdog.

May use: scene, environment.
"""
