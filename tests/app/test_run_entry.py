"""Words for a run, and what the window has to import to list runs."""

from __future__ import annotations

from fresh_python import imported_by

from modinv_app.common.run_entry import date, duration


def test_importing_the_list_of_runs_imports_nothing_heavy() -> None:
    found = imported_by("import modinv_app.train.runs, modinv_app.common.run_library")
    assert not found & {"pyqtgraph", "torch", "sklearn", "matplotlib"}


def test_words_for_times() -> None:
    assert [duration(seconds) for seconds in (4, 90, 4000)] == ["4 s", "2 min", "1.1 h"]
    assert date("2017-03-01T12:00:00+00:00") == "2017-03-01"
