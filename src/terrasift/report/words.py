"""Quantities in words."""

from __future__ import annotations

__all__ = ["duration"]


def duration(seconds: float) -> str:
    """A time, as exact as it matters.

    Examples
    --------
    >>> duration(75.04), duration(4000.0), duration(7300.0)
    ('75.0 s', '67 min', '2 h 2 min')
    """
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
