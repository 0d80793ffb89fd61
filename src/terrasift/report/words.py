"""Quantities in words."""

from __future__ import annotations

__all__ = ["area_text", "duration"]


def area_text(area: float, unit: str) -> str:
    """An area with as many decimals as mean something: whole pixels, square metres of hectares.

    Examples
    --------
    >>> area_text(12345.6789, "ha"), area_text(0.12345, "ha"), area_text(1234.0, "pixels")
    ('12,345.68', '0.1235', '1,234')
    """
    if unit == "pixels":
        return f"{area:,.0f}"
    return f"{area:,.4f}" if abs(area) < 10 else f"{area:,.2f}"


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
