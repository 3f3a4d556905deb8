"""The process of the window: what it imports where, what it leaves behind, and how it ends."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from modinv_app import __main__ as start

ROOT = Path(__file__).parents[2]


def run(code: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run some Python in a process whose settings and logs lie in a folder."""
    own = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE", "DATA")}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), **own, **more},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_what_knows_qt_is_imported_in_the_gui_thread_alone(tmp_path: Path) -> None:
    """PySide makes its classes when they are first asked for; two threads that ask crash it."""
    done = run(
        """
        import sys, threading

        class Watch:
            seen = set()
            def find_spec(self, name, _path=None, _target=None):
                if name.partition(".")[0] in ("PySide6", "shiboken6", "pyqtgraph", "modinv_app"):
                    self.seen.add((name, threading.current_thread() is threading.main_thread()))

        sys.meta_path.insert(0, Watch())
        sys.path.insert(0, "tests/app")
        from pathlib import Path
        from modinv_app.app import make_application
        make_application(["test"])
        from desk import Desk, until
        desk = Desk(Path.home() / "modinv.ini").open().ready()
        until(lambda: "modinv_app.evaluate.page" in sys.modules, "the import of all pages")
        for name in desk.window.pages.names:
            desk.window.pages.turn_to(name)
        until(lambda: desk.window.pages.built["train"].panel.form.corpora.chosen(), "the corpora", 60)
        desk.close()
        names = {name for name, _main in Watch.seen}
        assert {"pyqtgraph", "modinv_app.map.map_plot", "modinv_app.evaluate.page"} <= names
        print("elsewhere:", sorted(name for name, main in Watch.seen if not main))
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "elsewhere: []"


@pytest.mark.skipif(sys.platform == "win32", reason="platform folders are named by XDG variables")
def test_a_crash_before_qt_is_there_leaves_its_trace_in_the_log(tmp_path: Path) -> None:
    done = run(
        """
        import faulthandler, sys
        from modinv_app import __main__ as start

        def crash():
            assert "PySide6" not in sys.modules
            faulthandler._sigsegv()

        start._import_before_qt = crash
        sys.argv = ["modinv-app"]
        start.main()
        """,
        tmp_path,
    )
    assert done.returncode not in (0, 1)
    (log,) = tmp_path.rglob("modinv.log")
    assert "Segmentation fault" in log.read_text()
    assert "in crash" in log.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="platform folders are named by XDG variables")
def test_the_trace_goes_into_the_present_log_also_after_it_was_turned_over(tmp_path: Path) -> None:
    run(
        """
        import faulthandler, logging
        from modinv_app import __main__ as start

        start._log_to_file()
        for _ in range(600):
            logging.getLogger("modinv").error("x" * 1000)
        faulthandler._sigsegv()
        """,
        tmp_path,
    )
    (log,) = tmp_path.rglob("modinv.log")
    assert list(tmp_path.rglob("modinv.log.1"))
    assert "Segmentation fault" in log.read_text()


@pytest.mark.parametrize("status", [0, 1])
def test_a_thread_that_hangs_does_not_keep_the_process(tmp_path: Path, status: int) -> None:
    begun = time.monotonic()
    done = run(
        f"""
        import atexit, sys, threading
        from modinv_app import __main__ as start

        atexit.register(print, "torn down", file=sys.stderr)
        threading.Thread(target=threading.Event().wait, name="a driver that hangs", daemon=True).start()
        sys.stdout.write("the report")  # not flushed: it has to be
        start._exit({status})
        print("went on", file=sys.stderr)
        """,
        tmp_path,
    )
    assert done.returncode == status
    assert done.stdout == "the report"
    assert not done.stderr
    assert time.monotonic() - begun < 60


def test_a_process_whose_threads_end_ends_as_ever(tmp_path: Path) -> None:
    done = run(
        """
        import atexit, sys, time
        from PySide6.QtCore import QCoreApplication, QObject
        from modinv_app import __main__ as start
        from modinv_app.jobs.executor import SerialExecutor

        application = QCoreApplication([])
        owner = QObject()
        idle, busy = SerialExecutor("idle", owner), SerialExecutor("busy", owner)
        busy.submit(lambda: time.sleep(0.1), print, print)
        atexit.register(print, "torn down")
        start._exit(0)
        print("went on")
        """,
        tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\ntorn down\n", "")


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_on_windows_torch_and_onnxruntime_come_before_qt(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """Their libraries don't load there after Qt's; elsewhere nobody waits for them."""
    monkeypatch.setattr(start.sys, "platform", platform)
    asked: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", lambda name, *_how: asked.append(name))
        start._import_before_qt()
    assert sorted(asked) == (["onnxruntime", "torch"] if platform == "win32" else [])
