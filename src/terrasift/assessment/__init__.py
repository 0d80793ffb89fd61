"""Is a map right, and how much of each class is there? A sample to check it with, and what the checked sample says."""

from terrasift.assessment.allocation import Allocation, allocate, points_needed
from terrasift.assessment.assessment import Assessment, ClassFacts, assess
from terrasift.assessment.design import SampleDesign, parse_expected
from terrasift.assessment.estimators import Estimate
from terrasift.assessment.points import read_references, write_sample_points
from terrasift.assessment.sample import Point, Sample, SampledClass, draw_sample
from terrasift.assessment.strata import Stratum

__all__ = [
    "Allocation",
    "Assessment",
    "ClassFacts",
    "Estimate",
    "Point",
    "Sample",
    "SampleDesign",
    "SampledClass",
    "Stratum",
    "allocate",
    "assess",
    "draw_sample",
    "parse_expected",
    "points_needed",
    "read_references",
    "write_sample_points",
]
