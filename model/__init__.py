"""Modality-invariant representations of images and speech (Leidal, Harwath, Glass 2017).

Usable without a screen, from a notebook or on a cluster; nothing here depends on the window.
"""

import os

# ONNX Runtime sends telemetry from its import on unless this is set before; it can't be disabled afterwards. All our
# modules that import it have imported this package first.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
