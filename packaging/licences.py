"""Write which works a bundle contains, under which licences, with their texts: ``licences.py BUNDLE``.

Run by ``build.py``, in the environment that the bundle was made in.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_TEXT = re.compile(r"(licen[cs]e|copying|notice|copyright)", re.IGNORECASE)
_COMMON = Path("/usr/share/common-licenses")
_WITHOUT_TEXT = {
    "PySide6_Essentials": ("LGPL-3", "GPL-3"),
    "shiboken6": ("LGPL-3", "GPL-3"),
    "flatbuffers": ("Apache-2.0",),
}
"""Wheels without the text of their licence, and its name in Debian's collection."""
_IN_PACKAGE = {"onnxruntime": "onnxruntime", "soundfile": "_soundfile_data", "av": "av"}
"""Wheels with such texts in their packages."""

_INTRODUCTION = """\
# Licences

modinv itself is under the MIT licence; what its data and voices are under is in `_internal/modinv_assets`. This bundle
also contains the works below, unchanged but for symbols for debuggers that were removed, each under its own licence.
The texts are in the folders named, beside this file.

PyAV's wheel contains x264 and x265, which are under the GNU GPL 2 or later: who passes this bundle on as a whole does
so under the terms of the GPL. Qt, PySide6, FFmpeg, libsndfile and libsoxr are under the GNU LGPL: their libraries are
separate files in `_internal`, which may be replaced. The sources of all works can be had where their wheels and Debian
packages come from. PyInstaller's bootloader is under the GNU GPL 2 or later, with an exception for what it starts.

| work | version | licence | texts |
| --- | --- | --- | --- |
"""


def main() -> None:
    """Write ``LICENCES.md`` and the folder ``licences`` into a bundle."""
    bundle = Path(sys.argv[1])
    texts = bundle / "licences"
    python = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    rows = [("Python", sys.version.split()[0], "PSF-2.0", _copied([python], texts / "Python"))]
    rows += [_of_wheel(file, texts) for file in sorted((bundle / "_internal").glob("*.dist-info"))]
    rows += [_of_package(name, texts) for name in sorted(_system_packages(bundle / "_internal"))]
    table = "".join(f"| {name} | {version} | {licence} | {where} |\n" for name, version, licence, where in rows)
    (bundle / "LICENCES.md").write_text(_INTRODUCTION + table, "utf-8")


def _of_wheel(information: Path, texts: Path) -> tuple[str, str, str, str]:
    name, version = information.name.removesuffix(".dist-info").rsplit("-", 1)
    work = importlib.metadata.distribution(name)
    name = work.metadata["Name"]
    found = [Path(str(work.locate_file(file))) for file in work.files or () if _is_text(file.as_posix(), name)]
    found += [_COMMON / licence for licence in _WITHOUT_TEXT.get(name, ())]
    licence = work.metadata.get("License-Expression") or work.metadata.get("License") or ""
    if not licence or "\n" in licence:  # the whole text
        classifiers = (one for one in work.metadata.get_all("Classifier") or () if one.startswith("License ::"))
        licence = ", ".join(one.rpartition(" :: ")[2] for one in classifiers) or "see the text"
    return name, version, licence, _copied(found, texts / name)


def _is_text(file: str, name: str) -> bool:
    """Whether a file of a wheel is the text of a licence."""
    folder, _, last = file.rpartition("/")
    top = folder.partition("/")[0]
    inside = top.endswith(".dist-info") or folder == _IN_PACKAGE.get(name)
    return inside and not last.endswith((".py", ".pyc")) and (_TEXT.search(last) is not None or "/licenses" in folder)


def _system_packages(inside: Path) -> set[str]:
    """The Debian packages of shared libraries that are not from wheels: those lie in the folders of their packages."""
    packages = set()
    for library in inside.glob("lib*.so*"):
        if library.is_symlink() or library.name.startswith("libpython"):
            continue
        found = subprocess.run(
            ["dpkg-query", "--search", f"*/{library.name}"], capture_output=True, text=True, check=True
        )
        packages.add(found.stdout.partition(":")[0])
    return packages


def _of_package(name: str, texts: Path) -> tuple[str, str, str, str]:
    command = ["dpkg-query", "--show", "--showformat=${Version}\n", name]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    where = _copied([Path("/usr/share/doc") / name / "copyright"], texts / name)
    return f"{name} (Debian)", version, "see the text", where


def _copied(files: Iterable[Path], folder: Path) -> str:
    """Copy texts into a folder; where they are, in words."""
    number = 0
    for number, file in enumerate(sorted(set(files)), 1):
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / file.name
        shutil.copyfile(file, target if not target.exists() else folder / f"{number}-{file.name}")
    if not number:
        raise FileNotFoundError(
            f"{folder.name} comes without the text of its licence: name one in {Path(__file__).name}."
        )
    return f"`licences/{folder.name}`"


if __name__ == "__main__":
    main()
