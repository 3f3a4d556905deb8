"""The command ``modinv-app``."""

from __future__ import annotations

import argparse
import logging
import logging.handlers
import os
import sys
import time
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

from model.processes import shun_current_folder

if TYPE_CHECKING:  # Qt loads in main, once it is known that it can
    from modinv_app.app import Application

_STARTED = time.perf_counter()
_NO_WINDOW = 2

log = logging.getLogger("modinv")


def main() -> int:
    """Open the window; the exit status."""
    shun_current_folder()
    arguments, for_qt = _parser().parse_known_args()
    if "-platform" not in for_qt and (obstacle := _obstacle()):
        print(f"modinv-app: {obstacle}", file=sys.stderr)
        return _NO_WINDOW
    if sys.platform == "win32":
        # Torch's libraries don't load there once Qt's are loaded. Elsewhere torch loads behind the window.
        import torch  # noqa: F401
    from PySide6.QtCore import QSettings, QTimer

    from modinv_app.app import Application, make_application

    _log_to_file()
    application = make_application([sys.argv[0], *for_qt])
    if arguments.self_check:
        from modinv_app.self_check import SelfCheck

        check = SelfCheck(_STARTED)
        QTimer.singleShot(0, check.start)
        application.exec()
        print(check.report_json() if arguments.json else check.report_text())
        return 0 if check.passed else 1
    root = Application(QSettings())
    sys.excepthook = _excepthook(root)
    root.start()
    return application.exec()


def _obstacle() -> str | None:
    """What keeps a window from opening on Linux, and the cure: Qt would only abort. ``None`` if nothing does."""
    if sys.platform != "linux":
        return None
    from model import doctor

    checks = [doctor.screen()]
    platform = os.environ.get("QT_QPA_PLATFORM") or ("wayland" if os.environ.get("WAYLAND_DISPLAY") else "xcb")
    if platform.startswith("xcb"):
        checks.append(doctor.window_libraries())
    return next((f"{check.name}: {check.found}\n  -> {check.cure}" for check in checks if not check.ok), None)


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


def _log_to_file() -> None:
    """Keep warnings and errors where a user who reports a problem finds them."""
    import platformdirs

    folder = platformdirs.user_log_path("modinv", ensure_exists=False)
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                folder / "modinv.log", maxBytes=500_000, backupCount=2, encoding="utf-8"
            )
        )
    except OSError:
        pass  # a full or read-only disk must not keep the window from opening
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
