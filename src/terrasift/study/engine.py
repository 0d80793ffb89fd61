"""Every cell of some experiments, one after the other or side by side."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import joblib

from terrasift.errors import RunError
from terrasift.files import locked, tidy
from terrasift.progress import progress_bar, quiet
from terrasift.study.cells import CELL_FILE, is_done, run_cell
from terrasift.study.experiments import Cell, Experiment
from terrasift.study.folder import Study
from terrasift.study.timing import TIMING_FILE, write_timing
from terrasift.workers import open_client

__all__ = ["Failure", "run_study"]

_logger = logging.getLogger(__name__)


class Failure(NamedTuple):
    """A cell that failed, and why."""

    name: str
    reason: str


class _Job(NamedTuple):
    name: str
    cell: Cell
    seed: int


def run_study(
    study: Study,
    experiments: Sequence[Experiment],
    seeds: int = 1,
    *,
    workers: int = 1,
    scheduler: str | None = None,
) -> list[Failure]:
    """Train and score all cells that are not done yet. Cells that several tables share are trained once.

    Parameters
    ----------
    study
        Begun.
    experiments
        Whose cells.
    seeds
        Seeds 0 to `seeds` - 1 for each.
    workers
        Cells side by side on this machine, in processes that share its cores.
    scheduler
        Address of a Dask scheduler whose workers take the cells instead; they must see the study's folder and the data
        under the same paths. One worker for each GPU, started with ``CUDA_VISIBLE_DEVICES``, uses several.

    Returns
    -------
    list of Failure
        Cells that failed; the others are done.

    Raises
    ------
    SettingError
        If Dask is asked for but not installed, or if there is no scheduler at the address.
    RunError
        If another process runs the study.
    """
    try:
        with locked(study.path / ".running"):
            return _run_all(study, experiments, seeds, workers, scheduler)
    except BlockingIOError as error:
        raise RunError(
            study.path, "is being run by another process", "wait for it, or choose another folder"
        ) from error


def _run_all(
    study: Study, experiments: Sequence[Experiment], seeds: int, workers: int, scheduler: str | None
) -> list[Failure]:
    jobs, total = _waiting(study, experiments, seeds)
    _logger.info("%d cells, %d of them done", total, total - len(jobs))
    failures = []
    aside = workers > 1 or scheduler is not None
    results = _beside(study, jobs, workers, scheduler) if aside and jobs else _in_turn(study, jobs)
    with progress_bar("cells", total, done=total - len(jobs)) as advance:
        for job, reason in results:
            advance(job.name)
            if reason:
                _logger.warning("cell %s failed: %s", job.name, reason)
                failures.append(Failure(job.name, reason))
    _time_one(study, experiments)
    return failures


def _time_one(study: Study, experiments: Sequence[Experiment]) -> None:
    """Where the time of one network goes, for the report; measured once, when nothing else runs."""
    if (study.path / TIMING_FILE).exists():
        return
    for cell in (cell for experiment in reversed(experiments) for cell in experiment.cells):
        if cell.method == "network" and is_done(study.cell_folder(cell, 0)):
            _logger.info("timing a few steps of one cell")
            write_timing(study, cell)
            return


def _waiting(study: Study, experiments: Sequence[Experiment], seeds: int) -> tuple[list[_Job], int]:
    """Jobs not done yet, each folder once, seed by seed; and how many folders there are."""
    jobs: dict[Path, _Job] = {}
    for seed in range(seeds):
        for experiment in experiments:
            for cell in experiment.cells:
                name = f"{experiment.name}: {cell.variant}, seed {seed}"
                jobs.setdefault(study.cell_folder(cell, seed), _Job(name, cell, seed))
    for folder in jobs:
        tidy(folder / CELL_FILE)
    return [job for folder, job in jobs.items() if not is_done(folder)], len(jobs)


def _in_turn(study: Study, jobs: Sequence[_Job]) -> Iterator[tuple[_Job, str]]:
    for number, job in enumerate(jobs, 1):
        _logger.info("cell %d of %d: %s", number, len(jobs), job.name)
        yield job, run_cell(study, job.cell, job.seed)


def _beside(study: Study, jobs: Sequence[_Job], workers: int, scheduler: str | None) -> Iterator[tuple[_Job, str]]:
    threads = max(1, (os.cpu_count() or 1) // workers) if scheduler is None else None  # others know their own cores
    with open_client(workers, scheduler) as client:
        futures = {
            client.submit(_run, study, job.cell, job.seed, threads, key=job.name, pure=False): job for job in jobs
        }
        from distributed import as_completed  # the client would not be there without it

        for future in as_completed(futures):
            failed = future.exception()
            yield futures[future], f"worker lost: {failed}" if failed else future.result()


def _run(study: Study, cell: Cell, seed: int, threads: int | None) -> str:
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    # A worker of Dask may not start processes of its own.
    with quiet(), joblib.parallel_config("sequential"):
        return run_cell(study, cell, seed)
