"""What can go wrong because of an input, each said in one line: where, what, and the mend.

::

    TerrasiftError
    ├── InputError    (ValueError)   a raster, a mask, a label map or a list of them
    ├── SettingError  (ValueError)   a key of a recipe, or an option of a command
    └── RunError      (OSError)      a run's folder: missing, incomplete, or of another recipe
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

__all__ = [
    "InputError",
    "RunError",
    "SettingError",
    "TerrasiftError",
    "check_installed",
    "not_installed",
    "some_of",
]


class TerrasiftError(Exception):
    """A problem the user can mend.

    Parameters
    ----------
    where
        The file, band, dotted key or option that is wrong.
    what
        What is wrong with it.
    mend
        What to do about it; may be empty where `what` says it already. Parameters of functions and keys of recipes
        are written as in Python, within backquotes: the command puts its options in their place.
    """

    def __init__(self, where: object, what: str, mend: str = "") -> None:
        self.where = str(where)
        self.what = what
        self.mend = mend
        super().__init__(where, what, mend)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}"
        if self.mend:
            line = f"{line}; {self.mend}"
        return " ".join(line.split())


class InputError(TerrasiftError, ValueError):
    """A raster, a mask, a label map or a list of them cannot be used."""


class SettingError(TerrasiftError, ValueError):
    """A key of a recipe, or an option of a command, has a wrong name, type or value."""


class RunError(TerrasiftError, OSError):
    """A run's folder is missing, incomplete, or belongs to another recipe."""


def some_of(names: Sequence[str], most: int = 8) -> str:
    """Names in a line, the first of them where they are many: ``road, tree and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def check_installed(where: str, extra: str, *packages: str) -> None:
    """Check before any work that packages of an extra of terrasift are there; `not_installed` is raised if one is not.

    Parameters
    ----------
    where
        The option or key that needs them.
    extra
        As in ``pip install 'terrasift[extra]'``.
    packages
        Names that are imported.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise not_installed(where, package, extra)


def not_installed(where: str, package: str | None, extra: str) -> SettingError:
    """The error for whoever asks for what a package of an extra does."""
    return SettingError(where, f"{package} is not installed", f"pip install 'terrasift[{extra}]'")
