"""The science of modinv: modality-invariant representations of images and speech (Leidal, Harwath, Glass 2017).

Usable headless, from a notebook or a cluster; nothing in here knows that a window exists.
"""

import os

# ONNX Runtime reports to its vendor from the moment it is imported, unless it finds this then; it can't be switched
# off afterwards. Whatever of ours imports it, in whatever process, has imported this package before.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
