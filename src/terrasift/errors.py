"""What can go wrong because of an input, each said in one line: where, what, and the mend.

::

    TerrasiftError
    ├── InputError    (ValueError)   a raster, a mask, a label map or a list of them
    ├── SettingError  (ValueError)   a key of a recipe, or an option of a command
    └── RunError      (OSError)      a run's folder: missing, incomplete, or of another recipe
"""

from __future__ import annotations

__all__ = ["InputError", "RunError", "SettingError", "TerrasiftError"]


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
