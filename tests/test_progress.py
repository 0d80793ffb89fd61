"""A bar on a terminal, a line now and then in a log file, nothing when it is not wanted, and an end when it is told."""

from __future__ import annotations

import logging
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from terrasift import progress


def test_items_pass_through(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.quiet():
        assert list(progress.track(iter("abc"), 3, "letters")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


def test_a_log_file_gets_a_line_now_and_then(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.INFO)
    clock = [0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with progress.progress_bar("training", 10, done=5) as advance:
        for clock[0] in (12, 24, 36, 48, 60):
            advance("loss 1.5")
    assert [record.getMessage() for record in caplog.records] == ["training: 80%, 24 s left, loss 1.5"]


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert sum(progress.track(range(4), 4, "numbers")) == 6
    assert "numbers" in capsys.readouterr().err


def test_stages_in_each_other_share_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    for _ in progress.track(range(2), 2, "cells"):
        assert sum(progress.track(range(3), 3, "training")) == 3
    err = capsys.readouterr().err
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err).rstrip("\n\r").splitlines()[-1]
    assert "cells" in last
    assert "100%" in last
    assert "training" not in last


def test_a_notebooks_cell_gets_bars_that_go_when_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def display(html: str, display_id: bool) -> SimpleNamespace:
        shown.append(f"new {html}")
        return SimpleNamespace(update=shown.append)

    jupyter = SimpleNamespace(HTML=str, display=display)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=jupyter))
    monkeypatch.setitem(sys.modules, "IPython.display", jupyter)
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with progress.listening(progress._CellBars()), progress.progress_bar("done at once", 2) as advance:
        advance(by=2)
    assert shown == []
    with progress.listening(progress._CellBars()), progress.progress_bar("<scene>", 4) as advance:
        clock[0] = 1.0
        advance("loss 2")
        clock[0] = 1.1
        advance()  # sooner than anybody sees
        clock[0] = 2.0
        list(progress.track("a", 1, "inner"))
    outer = '<div>&lt;scene&gt; <progress value="{}" max="4"></progress> {} left {}</div>'
    begun = '<div>inner <progress value="0" max="1"></progress>  </div>'
    assert shown == [f"new {outer.format(1, '3 s', 'loss 2')}", outer.format(2, "2 s", "") + begun, ""]


def test_a_listener_is_told_everything_and_only_within_its_block() -> None:
    told = []
    with progress.listening(lambda stage: told.append((stage.name, stage.done, stage.message, stage.is_over))):
        with progress.progress_bar("training", 9, done=3) as advance:
            advance("loss 2", by=4)
        with ThreadPoolExecutor(1) as thread:  # of another context
            thread.submit(list, progress.track("ab", 2, "elsewhere")).result()
    assert told == [("training", 3, "", False), ("training", 7, "loss 2", False), ("training", 7, "loss 2", True)]


def test_what_a_listener_raises_ends_the_work_as_an_interrupt() -> None:
    done = []

    def cancel(stage: progress.Stage) -> None:
        if stage.done == 2:
            raise ValueError("enough")

    with progress.listening(cancel), pytest.raises(KeyboardInterrupt, match="enough"):
        done.extend(progress.track(range(5), 5, "numbers"))
    assert done == [0, 1]
