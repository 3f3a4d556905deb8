"""Build the desktop bundle on Linux: a folder of all that the window needs, Python included, and its archive.

``python packaging/build.py`` makes an environment of its own with the versions of ``constraints.txt``, has PyInstaller
collect what is in ``contents.py``, adds licences and what a desktop needs, and reports sizes. The same sources and the
same environment give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def main() -> None:
    """Build, and report where the bundle is and how large."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--environment", type=Path, default=ROOT / "build" / "environment", help="made if it is missing"
    )
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="folder of the bundle and its archive")
    arguments = parser.parse_args()
    if sys.platform != "linux":
        parser.error("so far, bundles are made on Linux only")
    committed = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    python = prepare(arguments.environment.absolute())
    bundle = freeze(python, arguments.to.absolute())
    complete(bundle, python)
    archive = pack(bundle, int(committed.stdout))
    print(f"{bundle}: {size(bundle) / 1e6:.0f} MB")
    print(f"{archive}: {archive.stat().st_size / 1e6:.0f} MB")


def prepare(environment: Path) -> Path:
    """An environment with this modinv, without what training needs, and PyInstaller; its Python."""
    if not (environment / "pyvenv.cfg").is_file():
        run(sys.executable, "-m", "venv", environment)
    python = environment / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "modinv")  # of the same version, but of other sources
    run(*install, "--constraint", HERE / "constraints.txt", ROOT, "pyinstaller")
    return python


def freeze(python: Path, to: Path) -> Path:
    """The folder that PyInstaller makes of ``modinv.spec``."""
    work = to / "work"
    command = [python, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level=ERROR"]
    run(*command, f"--distpath={to}", f"--workpath={work}", HERE / "modinv.spec")
    shutil.rmtree(work)
    return to / "modinv"


def complete(bundle: Path, python: Path) -> None:
    """Add compiled modules, the command line, licences, and what a desktop shows."""
    inside = bundle / "_internal"
    compiler = [python, "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", "-s", inside]
    run(*compiler, inside / "model")
    for library in inside.glob("libpython*"):  # most of it are symbols for debuggers
        run("strip", "--strip-unneeded", library)
    run(python, HERE / "licences.py", bundle)
    (bundle / "modinv").symlink_to("modinv-app")  # the program looks at the name by which it is called
    share = bundle / "share"
    for source, target in (
        (HERE / "modinv.desktop", share / "applications" / "modinv.desktop"),
        (HERE / "modinv.metainfo.xml", share / "metainfo" / "modinv.metainfo.xml"),
        (ROOT / "assets" / "icon.svg", share / "icons" / "hicolor" / "scalable" / "apps" / "modinv.svg"),
        (HERE / "install", bundle / "install"),
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def pack(bundle: Path, moment: int) -> Path:
    """A compressed archive of the bundle, in which neither order, times nor owners depend on who built it."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    archive = bundle.with_name(f"modinv-{version}-linux-{platform.machine()}.tar.xz")

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = moment
        return entry

    with tarfile.open(archive, "w:xz", preset=2) as file:
        file.add(bundle, "modinv", filter=plain)  # in the order of names
    return archive


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def run(*command: str | Path) -> None:
    """Run a command; its failure ends the build."""
    # With the same seed of hashes, sets are compiled in the same order.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(command, check=True, cwd=HERE, env={**environment, "PYTHONHASHSEED": "0"})


if __name__ == "__main__":
    main()
