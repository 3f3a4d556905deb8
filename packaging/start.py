"""The program of the bundle: the window; called ``modinv`` the command line; with ``-m`` or ``-c`` an interpreter.

There is no Python interpreter in a bundle, so that the program itself stands in for one
(:func:`model.processes.python`).
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> None:
    """Do what the command line asks for."""
    match sys.argv[1:]:
        case ["-m", module, *rest]:
            sys.argv[1:] = rest
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *rest]:
            sys.argv[:] = ["-c", *rest]
            exec(code, {"__name__": "__main__"})
        case _ if Path(sys.argv[0]).name == "modinv":
            from model.cli.main import main as run_command

            run_command()
        case _:
            from modinv_app.__main__ import main as open_window

            sys.exit(open_window())


if __name__ == "__main__":
    main()
