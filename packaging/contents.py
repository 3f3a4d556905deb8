"""What the bundle contains beside what is found by following imports, and what it leaves out."""

from __future__ import annotations

import ctypes.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("model", "modinv_app")

IMPORTED_BY_NAME = ("sounddevice", "pyqtgraph", "scipy.special", "PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets")
"""Modules of libraries that are imported by a name in a string, where nothing finds them; the last two by pyqtgraph."""

TRAINING = ("torch", "torchaudio", "tensorboard", "pyarrow")
"""The extra ``train``; where it is missing, the window says what to install."""

LEFT_OUT = (
    *TRAINING,
    # What libraries can use, and modinv does not.
    "IPython", "OpenGL", "PyQt5", "PyQt6", "PySide2", "colorcet", "cupy", "fsspec", "h5py", "lxml", "numba", "pandas",
    "pydot", "sympy", "tkinter", "_tkinter", "sqlite3", "nis", "readline", "curses",
    "PySide6.QtNetwork", "PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtTest",
    # Tools for developers.
    "pip", "pkg_resources", "setuptools", "wheel", "pytest", "lib2to3", "ensurepip", "idlelib", "pyqtgraph.examples",
    "pyqtgraph.opengl",
)  # fmt: skip
"""Modules that nothing in the bundle needs."""

MATPLOTLIB_BACKENDS = ("agg", "svg", "pdf")
"""Those of the formats that figures are exported in."""


_USELESS = re.compile(
    r"/Qt/(translations|qml)/"
    r"|/Qt/plugins/(egldeviceintegrations|generic|platformthemes/libqgtk3|networkinformation|printsupport|sqldrivers|tls)[/.]"
    r"|/Qt/plugins/platforms/libq(eglfs|linuxfb|minimalegl|vkkhrdisplay|vnc)\.so"
    r"|/Qt/plugins/imageformats/(?!libq(gif|ico|jpeg|svg|webp))"
    r"|(/Qt/lib/|^)libQt6(Qml|QmlModels|Quick|Network|VirtualKeyboard|Pdf|EglF[Ss]\w*)\.so"
    # The theme for GTK would bring a GTK of its own; the one of the portal shows the same dialogs.
    r"|^lib(gtk-3|gdk-3|gdk_pixbuf-2\.0|epoxy|cairo|cairo-gobject|pango\w*-1\.0|atk-1\.0|atk-bridge-2\.0|atspi|harfbuzz|fribidi)\.so"
    r"|^lib(thai|datrie|pixman-1|Xcomposite|Xdamage|Xcursor|Xinerama|Xrandr|Xfixes)\.so"
    r"|^matplotlib/mpl-data/(sample_data|images|plot_directive)/"
    r"|^matplotlib/mpl-data/fonts/(afm|pdfcorefonts)/"
    r"|/tests?/|\.(pyx|pxd|pyi|h|hpp|c|cpp|lib|a|proto)$"
    r"|\.dist-info/(RECORD|INSTALLER|WHEEL|REQUESTED|direct_url\.json|sboms/)"
    r"|^pyqtgraph/(icons/.*\.png|examples/)"
)
"""Files that the hooks of libraries collect and nothing in the bundle reads."""


def wanted(name: str) -> bool:
    """Whether a file belongs into the bundle, by its path there."""
    return _USELESS.search(name) is None


def portaudio() -> str:
    """The PortAudio of this system; a ``FileNotFoundError`` says what to install."""
    name = ctypes.util.find_library("portaudio")
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    paths = [line.partition(" => ")[2] for line in listed.splitlines() if name and line.strip().startswith(f"{name} ")]
    if not paths:
        raise FileNotFoundError("PortAudio is missing, which the bundle contains: sudo apt-get install libportaudio2")
    return paths[0]


def modules(folder: Path) -> Iterator[str]:
    """Names of all modules of a package's folder: ours are imported late, many of them by name."""
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
