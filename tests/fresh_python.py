"""What a Python of its own imports: this one has long imported everything."""

import subprocess
import sys


def imported_by(code: str, *arguments: str) -> set[str]:
    """The modules that are there after some code, which prints nothing, in a process of its own."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)", *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())
