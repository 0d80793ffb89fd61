"""A run's folder: every file in it has one reader and one writer."""

from __future__ import annotations

from terrasift.run.folder import RunFolder, absolute_path, network_of
from terrasift.run.log import LogWriter, TrainingLog

__all__ = ["LogWriter", "RunFolder", "TrainingLog", "absolute_path", "network_of"]
