"""Nodes in the MRML scene: volumes in and out, results, display, findings, redraw.

May use: environment.
"""
