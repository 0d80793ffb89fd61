"""Samples to be labelled, and what they say of a map, as pages."""

from __future__ import annotations

from terrasift.report.assessment.chips import draw_chips, write_chip
from terrasift.report.assessment.labelling import write_labelling_page
from terrasift.report.assessment.page import assessment_lines, write_assessment

__all__ = ["assessment_lines", "draw_chips", "write_assessment", "write_chip", "write_labelling_page"]
