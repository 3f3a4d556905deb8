"""The command ``modinv-app``."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import logging.handlers
import os
import sys
import threading
import time
import traceback
from io import TextIOWrapper
from types import TracebackType
from typing import TYPE_CHECKING

from model.processes import avoid_current_folder

if TYPE_CHECKING:  # Qt loads in main, once it is known that it can
    from modinv_app.app import Application

_STARTED = time.perf_counter()
_NO_WINDOW = 2
_PATIENCE = 1.0  # seconds for threads to end

log = logging.getLogger("modinv")


def main() -> int:
    """Open the window; the exit status."""
    avoid_current_folder()
    arguments, for_qt = _parser().parse_known_args()
    _log_to_file()
    if "-platform" not in for_qt and (obstacle := _obstacle()):
        print(f"modinv-app: {obstacle}", file=sys.stderr)
        return _NO_WINDOW
    _import_before_qt()
    from modinv_app.app import make_application

    make_application([sys.argv[0], *for_qt])
    status = _check(as_json=arguments.json) if arguments.self_check else _open()
    _leave(status)
    return status


def _import_before_qt() -> None:
    """On Windows, libraries that don't load once Qt's are loaded. Elsewhere they load behind the window."""
    if sys.platform == "win32":
        import onnxruntime  # noqa: F401
        import torch  # noqa: F401


def _open() -> int:
    """The window, until it is closed."""
    from PySide6.QtCore import QCoreApplication, QSettings

    from modinv_app.app import Application
    from modinv_app.shell.signals import SystemSignals

    root = Application(QSettings())
    sys.excepthook = _excepthook(root)
    system = SystemSignals(root.window)
    system.end_wanted.connect(root.window.keep_and_close)
    root.start()
    return QCoreApplication.exec()


def _check(as_json: bool) -> int:
    """The self-check, and what it found."""
    from PySide6.QtCore import QCoreApplication, QTimer

    from modinv_app.shell.self_check import SelfCheck

    check = SelfCheck(_STARTED)
    QTimer.singleShot(0, check.start)
    QCoreApplication.exec()
    print(check.report_json() if as_json else check.report_text())
    return 0 if check.passed else 1


def _leave(status: int) -> None:
    """Wait for the threads; if one goes on, end the process from here.

    Python's own way out tears down what such a thread still uses: in the middle of torch, or of a sound driver that
    hangs, that aborts. Everything that has to be kept has been kept when the window closed.
    """
    from modinv_app.jobs.executor import close_lanes

    close_lanes()
    end = time.monotonic() + _PATIENCE
    others = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
    for thread in others:
        if not isinstance(thread, threading._DummyThread):  # of a library: it can't be waited for
            thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # as on Windows, without a console
                stream.flush()
        os._exit(status)


def _obstacle() -> str | None:
    """What keeps a window from opening on Linux, and the cure: Qt would only abort. ``None`` if nothing does."""
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
        help="open the window, draw a seven and say one through it, print what was found and how fast, and exit",
    )
    parser.add_argument("--json", action="store_true", help="print the self-check's report as JSON")
    return parser


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log that also takes the traces of a crash, which no handler of Python's gets to see."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        faulthandler.enable(stream)
        return stream


def _log_to_file() -> None:
    """Keep warnings, errors and traces of crashes where a user who reports a problem finds them."""
    import platformdirs

    folder = platformdirs.user_log_path("modinv", ensure_exists=False)
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(_LogFile(folder / "modinv.log", maxBytes=500_000, backupCount=2, encoding="utf-8"))
    except OSError:  # a full or read-only disk must not keep the window from opening
        if sys.stderr is not None:
            faulthandler.enable()
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=handlers
    )


def _excepthook(root: Application):  # type: ignore[no-untyped-def]
    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("Unexpected error", exc_info=(kind, error, trace))
        details = "".join(traceback.format_exception(kind, error, trace))
        root.window.messages.show_message(f"Something went wrong: {error}", "error", details)

    return show


if __name__ == "__main__":
    sys.exit(main())
