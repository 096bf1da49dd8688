"""Lungs, heart, vessels, and what lies between them."""
