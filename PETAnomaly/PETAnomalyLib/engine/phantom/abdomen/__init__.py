"""Abdomen and pelvis. May use: canvas, patient, frame."""
