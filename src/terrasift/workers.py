"""Processes that share the work: some on this machine, or those of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from terrasift.errors import SettingError, not_installed

__all__ = ["open_client"]


@contextmanager
def open_client(workers: int, scheduler: str | None = None) -> Iterator[Any]:
    """A Dask client; its workers last as long as the block where they are this machine's.

    Parameters
    ----------
    workers
        Processes on this machine, with one thread each.
    scheduler
        Address of a Dask scheduler whose workers are used instead.

    Raises
    ------
    SettingError
        If Dask is not installed, or if no scheduler answers.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise not_installed("workers", "Dask", "dask") from error
    with ExitStack() as stack:
        address: Any = scheduler
        if scheduler is None:
            stack.enter_context(dask.config.set(_ONE_TASK_EACH))
            address = stack.enter_context(LocalCluster(n_workers=workers, **_LOCAL))
        try:
            client = stack.enter_context(Client(address, timeout=20))
        except (OSError, ValueError) as error:
            problem = f"no Dask scheduler answers at {scheduler}"
            raise SettingError("scheduler", problem, "start one, or mend it") from error
        yield client


_ONE_TASK_EACH = {"distributed.scheduler.worker-saturation": 1.0}  # nothing waits for a busy worker while one is idle
_LOCAL: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": None}
