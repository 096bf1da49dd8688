"""Colours that can be read on whatever ground a style has.

Contrast and relative luminance as WCAG 2.1 defines them; 4.5 : 1 is its level AA for text
(https://www.w3.org/TR/WCAG21/#contrast-minimum).
"""

from __future__ import annotations

Rgb = tuple[int, int, int]  # 0..255

LEGIBLE = 4.5
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
STEPS = 64


def luminance(colour: Rgb) -> float:
    """Relative luminance, 0 (black) to 1 (white)."""
    linear = []
    for part in colour:
        share = part / 255.0
        linear.append(share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """1 (alike) to 21 (black on white)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def legible(colour: Rgb, ground: Rgb) -> Rgb:
    """The colour, or the nearest one towards black or white that can be read on the ground."""
    far = max((BLACK, WHITE), key=lambda end: contrast(end, ground))
    return _firstLegible(colour, far, ground)


def faint(text: Rgb, ground: Rgb) -> Rgb:
    """The mix of text and ground that is as near to the ground as can still be read."""
    return _firstLegible(ground, text, ground)


def _firstLegible(start: Rgb, end: Rgb, ground: Rgb) -> Rgb:
    for step in range(STEPS + 1):
        share = step / STEPS
        red, green, blue = (round(a + share * (b - a)) for a, b in zip(start, end))
        mixed = (red, green, blue)
        if contrast(mixed, ground) >= LEGIBLE:
            return mixed
    return end
