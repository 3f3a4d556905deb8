"""Locations of the bundled files, the user's data and the caches."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APPLICATION = "modinv"


def assets() -> Path:
    """The folder of bundled files, from a wheel (``modinv_assets``) and from a source tree (``assets``) alike."""
    root = Path(__file__).resolve().parent.parent
    installed = root / "modinv_assets"
    return installed if installed.is_dir() else root / "assets"


def _user_folder(name: str) -> Path:
    """What the environment variable ``MODINV_<NAME>`` names, or else a sub-folder of the system's user data folder."""
    chosen = os.environ.get(f"MODINV_{name.upper()}")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path(_APPLICATION) / name


def data() -> Path:
    """The folder of corpora (``MODINV_DATA``)."""
    return _user_folder("data")


def takes(corpora: Path | None = None) -> Path:
    """The folder of the user's own recordings and drawings (``MODINV_TAKES``), by default in the folder of corpora."""
    chosen = os.environ.get("MODINV_TAKES")
    return Path(chosen).expanduser() if chosen else (corpora or data()) / "my-digits"


def curation() -> Path:
    """The folder of what the user has decided about items of corpora: in the folder of corpora.

    If that can't be written, because it is a shared one for example, it is in the user's own folder.
    """
    folder = data()
    beside = os.access(folder, os.W_OK) or not folder.exists()
    return (folder if beside else platformdirs.user_data_path(_APPLICATION) / "data") / "curation"


def runs() -> Path:
    """The folder of training runs (``MODINV_RUNS``)."""
    return _user_folder("runs")


def sweeps() -> Path:
    """The folder of sweeps (``MODINV_SWEEPS``)."""
    return _user_folder("sweeps")


def cache() -> Path:
    """The folder of files that can be computed again."""
    return platformdirs.user_cache_path(_APPLICATION)


def logs() -> Path:
    """The folder of logs."""
    return platformdirs.user_log_path(_APPLICATION, ensure_exists=False)


def icon() -> Path:
    """The picture of the application, SVG."""
    return assets() / "icon.svg"


def shipped_model() -> Path:
    """The checkpoint that ships with the application."""
    return assets() / "model.safetensors"


def shipped_decoders() -> Path:
    """The shipped checkpoint with decoders: the encoders of the shipped model, and what was trained on them."""
    return assets() / "generative.safetensors"


def shipped_gallery() -> Path:
    """The gallery that ships with the application, encoded by the shipped model."""
    return assets() / "gallery.safetensors"


def voice_activity_detector() -> Path:
    """The network that finds speech in recordings."""
    return assets() / "voice_activity" / "silero_vad_8khz.onnx"


def speech_embedding() -> Path:
    """The weights that pretrained speech encoders begin with."""
    return assets() / "speech_embedding" / "speech_embedding.safetensors"


def shipped_comparison() -> Path:
    """The comparison of systems that ships with the package; absent until ``scripts/ship_sweep.py`` writes one."""
    return assets() / "comparison.safetensors"


def shipped_sweep() -> Path:
    """The results that ship with the application: the paper's eight values of lambda_IG on open data."""
    return assets() / "sweep.safetensors"
