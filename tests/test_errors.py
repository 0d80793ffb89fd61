"""Errors are one line each, can be caught by their kind, and survive the way back from another process."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from terrasift import InputError, RunError, SettingError, TerrasiftError


@pytest.mark.parametrize(
    ("kind", "builtin"), [(InputError, ValueError), (SettingError, ValueError), (RunError, OSError)]
)
def test_kinds_are_ours_and_pythons(kind: type[TerrasiftError], builtin: type[Exception]) -> None:
    error = kind(Path("a.tif"), "is torn", "mend it")
    assert isinstance(error, TerrasiftError)
    assert isinstance(error, builtin)
    assert str(error) == "a.tif: is torn; mend it"


def test_the_mend_may_be_missing_and_line_breaks_go() -> None:
    assert str(InputError("a.tif", "is\n   torn")) == "a.tif: is torn"


@pytest.mark.parametrize("kind", [InputError, SettingError, RunError])
@pytest.mark.parametrize("mend", ["", "mend it"])
def test_pickle_keeps_all_parts(kind: type[TerrasiftError], mend: str) -> None:
    error = pickle.loads(pickle.dumps(kind(Path("a.tif"), "is torn", mend)))
    assert type(error) is kind
    assert (error.where, error.what, error.mend) == ("a.tif", "is torn", mend)
