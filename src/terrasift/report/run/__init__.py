"""A run as one HTML page."""

from __future__ import annotations

from terrasift.report.run.page import report_on, write_run_report

__all__ = ["report_on", "write_run_report"]
