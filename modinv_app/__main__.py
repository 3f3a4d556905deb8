"""The command ``modinv-app``."""

from __future__ import annotations

import argparse
import builtins
import logging
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from model import locations
from model.processes import avoid_current_folder

if TYPE_CHECKING:  # Qt is imported in main, after checking that it can be
    from modinv_app.app import Application
    from modinv_app.shell.process_log import ProcessLog

_STARTED = time.perf_counter()
_NO_WINDOW = 2
_TIMEOUT = 1.0  # seconds for threads to end

log = logging.getLogger("modinv")


def main() -> int:
    """Run the command; the exit status."""
    avoid_current_folder()
    arguments, for_qt = _parser().parse_known_args()
    process_log = _log_to_file()
    if "-platform" not in for_qt and (problem := _missing_requirement()):
        print(f"modinv-app: {problem}", file=sys.stderr)
        return _NO_WINDOW
    _import_before_qt()
    _import_qt()
    from modinv_app.app import make_application

    make_application([sys.argv[0], *for_qt])
    status = _check(as_json=arguments.json) if arguments.self_check else _open(process_log)
    _exit(status)
    return status


def _import_before_qt() -> None:
    """On Windows, import libraries that can't be imported after Qt. Elsewhere they are imported later."""
    if sys.platform == "win32":
        import onnxruntime  # noqa: F401

        with suppress(ModuleNotFoundError):  # only training and evaluation need it
            import torch  # noqa: F401


def _import_qt() -> None:
    """Import Qt, without PySide's hook that reads the source of each module that is imported later.

    It looks for modules that switch PySide to names in snake case; ours don't. Without it the window appears a tenth
    of a second earlier.
    """
    from PySide6 import QtCore  # noqa: F401

    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)


def _open(process_log: ProcessLog | None) -> int:
    """Show the window until it is closed; the exit status."""
    from PySide6.QtCore import QCoreApplication, QSettings

    from modinv_app.app import Application
    from modinv_app.shell.signals import SystemSignals

    root = Application(QSettings(), process_log=process_log)
    sys.excepthook = _excepthook(root)
    system = SystemSignals(root.window)
    system.end_wanted.connect(root.window.keep_and_close)
    root.start()
    return QCoreApplication.exec()


def _check(as_json: bool) -> int:
    """Run the self-check and print its report; the exit status."""
    from PySide6.QtCore import QCoreApplication, QTimer

    from modinv_app.shell.self_check import SelfCheck

    check = SelfCheck(_STARTED)
    QTimer.singleShot(0, check.start)
    QCoreApplication.exec()
    print(check.report_json() if as_json else check.report_text())
    return 0 if check.passed else 1


def _exit(status: int) -> None:
    """Wait for all threads, and end the process at once if one goes on.

    Python's own exit would crash in a thread that is inside of torch, or of a sound driver that hangs. Everything was
    saved when the window was closed.
    """
    from modinv_app.jobs.executor import close_executors

    close_executors()
    end = time.monotonic() + _TIMEOUT
    others = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
    for thread in others:
        if not isinstance(thread, threading._DummyThread):  # of a library: can't be joined
            thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # it is on Windows without a console
                stream.flush()
        os._exit(status)


def _missing_requirement() -> str | None:
    """Why no window can be opened on Linux, where Qt would only abort, and what to do; ``None`` if it can."""
    if sys.platform != "linux":
        return None
    from model import doctor

    checks = [doctor.screen()]
    platform = os.environ.get("QT_QPA_PLATFORM") or ("wayland" if os.environ.get("WAYLAND_DISPLAY") else "xcb")
    if platform.startswith("xcb"):
        checks.append(doctor.window_libraries())
    return next((f"{check.name}: {check.found}\n  -> {check.remedy}" for check in checks if not check.ok), None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modinv-app",
        description="Draw a digit to hear its nearest spoken match, speak to see the nearest images.",
    )
    parser.add_argument(
        "--self-check",
        action="store_true",
        help="open the window, draw a seven and say a seven in it, print the answers and times, and exit",
    )
    parser.add_argument("--json", action="store_true", help="print the self-check's report as JSON")
    return parser


def _log_to_file() -> ProcessLog | None:
    """Log warnings, errors and crashes to a file for bug reports; ``None`` if it can't be written."""
    from modinv_app.shell.process_log import ProcessLog, log_to_stderr

    log_to_stderr()
    try:
        return ProcessLog(locations.logs())
    except OSError:  # the window has to work with a full or read-only disk
        return None


def _excepthook(root: Application):  # type: ignore[no-untyped-def]
    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("Unexpected error", exc_info=(kind, error, trace))
        details = "".join(traceback.format_exception(kind, error, trace))
        root.window.messages.show_message(f"Something went wrong: {error}", "error", details)

    return show


if __name__ == "__main__":
    sys.exit(main())
