"""A few bad inputs of every kind, the same each time; `make fuzz` tries thousands."""

from __future__ import annotations

from tests.fuzz.fuzzing import fuzz
from tests.fuzz.trials import KINDS


def test_bad_inputs_of_every_kind_are_answered() -> None:
    counts, failures, peak = fuzz(list(KINDS), seed=0, count=4 * len(KINDS))
    assert not failures
    assert {kind for kind, _ in counts} == set(KINDS)
    assert peak < 2048
