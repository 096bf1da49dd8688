"""Lungs, heart, vessels, and what lies between them. May use: canvas, patient, frame."""
