"""Amounts of bytes in as few characters as say enough."""

from __future__ import annotations

_UNITS = ("B", "KB", "MB", "GB", "TB")


def size(count: int) -> str:
    """`812 B`, `1.2 KB`, `34 MB`: thousands, as transfer rates are counted."""
    value, unit = float(count), 0
    while round(value, 1 if value < 10 else 0) >= 1000 and unit < len(_UNITS) - 1:
        value /= 1000
        unit += 1
    if unit and round(value, 1) < 10:
        return f"{value:.1f} {_UNITS[unit]}"
    return f"{value:.0f} {_UNITS[unit]}"
