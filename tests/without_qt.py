"""A plugin (``-p without_qt``) for tests where neither Qt nor the sound library can be imported."""

import sys

sys.modules.update(dict.fromkeys(["PySide6", "pyqtgraph", "sounddevice"]))
