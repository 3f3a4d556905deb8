"""What a Python of its own imports: this one has long imported everything."""

import subprocess
import sys

WITHOUT_TORCH = """
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchaudio", "tensorboard", "pyarrow", "silero_vad"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
"""
"""Code after which a process is as if modinv had been installed without the extra ``train``."""


def imported_by(code: str, *arguments: str) -> set[str]:
    """The modules that are there after some code, which prints nothing, in a process of its own."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)", *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())
