"""Abdomen and pelvis."""
