"""The study's claims, and what our numbers say of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from terrasift.metrics import FACTS
from terrasift.study.claims import Finding, Verdict
from terrasift.study.experiments import EXPERIMENTS

__all__ = ["ClaimRow", "claim_groups", "unjudged_claims", "verdict_counts"]

_SIGNS: dict[Verdict, str] = {"holds": "✓", "fails": "✗", "within the spread": "≈"}


class ClaimRow(NamedTuple):
    """One claim, one data set, one score."""

    dataset: str
    score: str
    unit: str
    difference: str
    spread: str
    published: str
    pairs: str
    sign: str
    verdict: Verdict


class ClaimGroup(NamedTuple):
    """All that was found about one claim."""

    experiment: str
    text: str
    rows: list[ClaimRow]


def claim_groups(findings: Sequence[Finding]) -> list[ClaimGroup]:
    """The claims that could be judged, in the order of the tables."""
    groups = []
    for experiment in EXPERIMENTS:
        for claim in experiment.claims:
            rows = [_row(finding) for finding in findings if finding.claim == claim]
            if rows:
                groups.append(ClaimGroup(experiment.name, claim.text, rows))
    return groups


def unjudged_claims(findings: Sequence[Finding]) -> list[str]:
    """The claims for which cells are missing."""
    judged = [finding.claim for finding in findings]
    return [
        f"{experiment.name}: {claim.text}"
        for experiment in EXPERIMENTS
        for claim in experiment.claims
        if claim not in judged
    ]


def verdict_counts(findings: Sequence[Finding]) -> dict[Verdict, int]:
    """How many findings came out which way."""
    return {verdict: sum(finding.verdict == verdict for finding in findings) for verdict in _SIGNS}


def _row(finding: Finding) -> ClaimRow:
    facts = FACTS[finding.score]
    published = "–" if finding.published is None else facts.difference_text(finding.published)
    return ClaimRow(
        finding.dataset,
        facts.symbol,
        facts.unit,
        facts.difference_text(finding.difference),
        facts.text(finding.spread).strip("–"),
        published,
        f"{finding.in_favour} of {finding.pairs}",
        _SIGNS[finding.verdict],
        finding.verdict,
    )
