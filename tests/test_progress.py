"""A bar on a terminal, a line now and then in a log file, nothing when it is not wanted."""

from __future__ import annotations

import logging

import pytest

from terrasift import progress


def test_items_pass_through() -> None:
    assert list(progress.track(iter("abc"), 3, "letters", show=False)) == ["a", "b", "c"]


def test_a_log_file_gets_a_line_now_and_then(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.INFO)
    clock = iter(range(0, 1000, 12))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.progress_bar("training", 10, done=5) as advance:
        for _ in range(5):
            advance("loss 1.5")
    assert [record.getMessage() for record in caplog.records] == ["training: 80%, 24 s left, loss 1.5"]


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert sum(progress.track(range(4), 4, "numbers")) == 6
    assert "numbers" in capsys.readouterr().err
