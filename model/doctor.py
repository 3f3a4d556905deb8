"""Checks of the installation; each says how to fix what is missing."""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from model import locations
from model.processes import environment, python

OLDEST_PYTHON = (3, 11)
MIN_FREE_SPACE = 2**30  # bytes, for cached filterbanks and a few checkpoints

QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""Shared libraries that Qt's xcb plugin loads on Linux, and their Debian packages."""

SOUND_LIBRARIES = {"libportaudio.so.2": "libportaudio2"}
"""Shared libraries that sounddevice loads on Linux; its wheels for other systems contain them."""

_LIST_SOUND_DEVICES = """
import json, sounddevice
found = sounddevice.query_devices()
print(json.dumps({
    "portaudio": sounddevice.get_portaudio_version()[1].split(",")[0],
    "microphones": sum(device["max_input_channels"] > 0 for device in found),
    "loudspeakers": sum(device["max_output_channels"] > 0 for device in found),
}))
"""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; ``remedy`` is a command or step that helps, empty if ``ok``.

    The application is of no use if an ``essential`` check fails.
    """

    name: str
    ok: bool
    found: str
    essential: bool = True
    remedy: str = ""

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return asdict(self)


def examine(data: Path | None = None) -> Iterator[Check]:
    """Run all checks; ``data`` is the folder of corpora, by default the user's."""
    yield _python()
    yield _packages()
    yield _torch()
    if sys.platform == "linux":
        yield window_libraries()
        yield screen()
    yield _sound()
    yield _model()
    yield from _corpora(data)
    yield from _folders(data)
    yield _space()


def healthy(checks: list[Check]) -> bool:
    """Whether nothing essential is missing."""
    return all(check.ok for check in checks if check.essential)


def missing_packages() -> list[str]:
    """The Debian packages of the shared libraries that the dynamic linker does not find."""
    return [package for library, package in (QT_LIBRARIES | SOUND_LIBRARIES).items() if not _loads(library)]


def install_command(packages: list[str]) -> str:
    """The command that installs Debian packages, or advice for systems without ``apt-get``."""
    names = " ".join(packages)
    if shutil.which("apt-get"):
        return f"sudo apt-get install -y {names}"
    return f"Install the equivalents of these Debian packages: {names}"


def _python() -> Check:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Check(
        "Python",
        ok := sys.version_info >= OLDEST_PYTHON,
        f"{platform.python_version()}, {platform.system()} {platform.machine()}",
        remedy="" if ok else f"Install Python {wanted} or later and make a new environment with it.",
    )


def _packages() -> Check:
    name, remedy = "Packages", f"{sys.executable} -m pip install --upgrade modinv"
    try:
        wanted = importlib.metadata.requires("modinv") or []
    except importlib.metadata.PackageNotFoundError:
        return Check(name, False, "modinv itself is not installed, only unpacked.", remedy="python -m pip install -e .")
    versions: dict[str, str | None] = {}
    for requirement in (one for one in wanted if "extra ==" not in one):
        package = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    missing = [package for package, version in versions.items() if version is None]
    if missing:
        return Check(name, False, f"missing: {', '.join(missing)}", remedy=remedy)
    qt = {package.lower(): version for package, version in versions.items()}.get("pyside6-essentials", "unknown")
    return Check(name, True, f"all {len(versions)} installed, PySide6 {qt}")


def _torch() -> Check:
    try:
        import torch
    except ModuleNotFoundError:
        return Check(
            "PyTorch", True, "not installed: only training and evaluation need it (pip install 'modinv[train]')"
        )
    except (ImportError, OSError) as error:
        return Check(
            "PyTorch",
            False,
            str(error),
            remedy=f"{sys.executable} -m pip install --force-reinstall torch torchaudio",
        )
    if torch.cuda.is_available():
        device = f"CUDA, {torch.cuda.get_device_name()}"
    elif torch.backends.mps.is_available():
        device = "MPS, Apple GPU"
    else:
        device = f"CPU, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    return Check("PyTorch", True, f"{torch.__version__} on {device}")


def window_libraries() -> Check:
    """The shared libraries that Qt needs for a window under X11; without them it aborts."""
    missing = [library for library in QT_LIBRARIES if not _loads(library)]
    if missing:
        remedy = install_command([QT_LIBRARIES[library] for library in missing])
        return Check("Libraries of the window", False, f"missing: {', '.join(missing)}", remedy=remedy)
    return Check("Libraries of the window", True, f"all {len(QT_LIBRARIES)} found")


def _loads(library: str) -> bool:
    """Whether the dynamic linker finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def screen() -> Check:
    """Whether there is a screen that a window could open on (Linux)."""
    for variable in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY"):
        if value := os.environ.get(variable):
            return Check("Screen", True, f"{variable}={value}", essential=False)
    return Check(
        "Screen",
        False,
        "neither DISPLAY nor WAYLAND_DISPLAY is set, so no window can open here",
        essential=False,
        remedy="Start it from a desktop session, or without a screen: xvfb-run modinv-app",
    )


def _sound() -> Check:
    """Query the sound devices in another process, since a driver may hang; this package never loads sounddevice."""
    try:
        answer = subprocess.run(
            python("-c", _LIST_SOUND_DEVICES),
            env=environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Check("Sound", False, "the sound system does not answer", False, "Restart the sound system, then retry.")
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or ["the sound library failed"])[-1]
        remedy = f"{sys.executable} -m pip install --force-reinstall sounddevice"
        if "PortAudio library not found" in reason:
            remedy = install_command(list(SOUND_LIBRARIES.values()))
        return Check("Sound", False, reason, False, remedy)
    found = json.loads(answer.stdout.strip().splitlines()[-1])
    counts = f"{found['microphones']} inputs, {found['loudspeakers']} outputs, {found['portaudio']}"
    if found["microphones"] and found["loudspeakers"]:
        return Check("Sound", True, counts, essential=False)
    return Check("Sound", False, counts, False, "Connect a microphone and a loudspeaker, or allow access to them.")


_REINSTALL = "Install the application again: its own files are incomplete."


def _model() -> Check:
    from model.checkpoints import UnusableCheckpoint, read

    sizes = []
    for path in (locations.shipped_model(), locations.shipped_gallery()):
        try:
            read(path)
        except UnusableCheckpoint as error:
            return Check("Shipped model and gallery", False, str(error), remedy=_REINSTALL)
        sizes.append(f"{path.name} {path.stat().st_size / 2**20:.0f} MiB")
    return Check("Shipped model and gallery", True, ", ".join(sizes))


def _corpora(data: Path | None) -> Iterator[Check]:
    from model.data.corpora import MissingData, broken_plugins, registry

    for kind in registry().values():
        info = kind.info
        name = f"Human speech ({info.label})" if info.voices else info.title
        try:
            found = kind(data).check()
        except MissingData as error:
            if info.ships:
                yield Check(name, False, str(error), remedy=_REINSTALL)
            elif info.source:
                yield Check(name, False, "not installed; only training and evaluation need it", False, str(error))
        else:
            yield Check(name, True, found, essential=info.ships)
    for name, why in broken_plugins().items():
        yield Check(f"Corpus {name}", False, why, False, "Update or remove the package that adds it.")


def _folders(data: Path | None) -> Iterator[Check]:
    named = {
        "Folder of corpora": data or locations.data(),
        "Folder of caches": locations.cache(),
        "Folder of settings": platformdirs.user_config_path("modinv"),
    }
    for name, folder in named.items():
        try:
            with tempfile.TemporaryFile(dir=_nearest_existing(folder)):
                pass
        except OSError as error:
            remedy = f"Make {folder} writable" + (", or set MODINV_DATA." if "corpora" in name else ".")
            yield Check(name, False, f"{folder}: {error.strerror}", essential=False, remedy=remedy)
        else:
            yield Check(name, True, str(folder), essential=False)


def _space() -> Check:
    folder = _nearest_existing(locations.cache())
    free = shutil.disk_usage(folder).free
    found = f"{free / 2**30:.1f} GiB free at {folder}"
    if free >= MIN_FREE_SPACE:
        return Check("Disk", True, found, essential=False)
    return Check("Disk", False, found, essential=False, remedy="Free at least 1 GiB before you train.")


def _nearest_existing(folder: Path) -> Path:
    """The folder itself, or its nearest parent that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())
