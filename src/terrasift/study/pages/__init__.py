"""A study as one HTML page."""

from __future__ import annotations

from terrasift.study.pages.page import write_report

__all__ = ["write_report"]
