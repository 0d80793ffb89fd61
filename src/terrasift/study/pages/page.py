"""A study as one HTML page, and its figures as CSV beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from terrasift.files import write_text
from terrasift.report.pages import render
from terrasift.study.claims import judge_claims
from terrasift.study.experiments import EXPERIMENTS, Experiment
from terrasift.study.folder import Study
from terrasift.study.pages.curves import loss_figure
from terrasift.study.pages.facts import scaled_mark, study_facts
from terrasift.study.pages.samples import Samples
from terrasift.study.pages.tables import published_tables, score_columns, study_score_tables
from terrasift.study.pages.times import cell_times, time_split
from terrasift.study.pages.verdicts import claim_groups, unjudged_claims, verdict_counts
from terrasift.study.results import Row, collect_results, table_rows, write_csv
from terrasift.study.states import CellState, cell_states, problems
from terrasift.study.timing import read_timing

__all__ = ["write_report"]


def write_report(study: Study) -> Path:
    """Write what a study has found so far: ``report.html`` and ``report.csv`` in its folder.

    Parameters
    ----------
    study
        Begun; cells that are not done are named as such.

    Returns
    -------
    Path
        The page. It needs no other file and no network to be looked at.

    Raises
    ------
    InputError
        If the study's images are not where they were.
    """
    results = collect_results(study)
    rows = table_rows(results)
    findings = judge_claims(results)
    states = {experiment.name: cell_states(study, experiment) for experiment in EXPERIMENTS}
    samples = Samples(study, [found for cells in states.values() for found in cells])
    begun = [experiment for experiment in EXPERIMENTS if any(s.state != "not begun" for s in states[experiment.name])]
    page = render(
        "study/pages/page.html.j2",
        scaled=scaled_mark(study),
        facts=study_facts(study, results),
        claims=claim_groups(findings),
        repeated=any(finding.spread == finding.spread for finding in findings),
        unjudged=unjudged_claims(findings),
        verdicts=verdict_counts(findings),
        columns=score_columns(),
        experiments=[_section(experiment, rows, states[experiment.name], samples) for experiment in begun],
        not_begun=[experiment.name for experiment in EXPERIMENTS if experiment not in begun],
        legend=study.data.legend.classes,
        times=cell_times(results),
        split=time_split(read_timing(study.path)),
    )
    write_csv(rows, study.path / "report.csv")
    return write_text(study.path / "report.html", page)


def _section(experiment: Experiment, rows: list[Row], states: list[CellState], samples: Samples) -> dict[str, Any]:
    tables = study_score_tables(experiment, rows)
    compared = any(len(row.lines) > 1 for table in tables for row in table.rows)
    return {
        "name": experiment.name,
        "title": experiment.title,
        "table": experiment.table,
        "tables": tables,
        "compared": compared,
        "published": published_tables(experiment),
        "loss": loss_figure(states, experiment.figure),
        "samples": samples.table(states),
        "problems": problems(states),
    }
