"""Where things lie: what ships with the application, the user's corpora, the caches."""

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


def data() -> Path:
    """The folder of the user's corpora: ``MODINV_DATA`` where it is set, else the system's place for user data."""
    chosen = os.environ.get("MODINV_DATA")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path(_APPLICATION) / "data"


def runs() -> Path:
    """The folder of training runs: ``MODINV_RUNS`` where it is set, else in the system's place for user data."""
    chosen = os.environ.get("MODINV_RUNS")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path(_APPLICATION) / "runs"


def sweeps() -> Path:
    """The folder of the user's sweeps: ``MODINV_SWEEPS`` where it is set, else in the system's place for user data."""
    chosen = os.environ.get("MODINV_SWEEPS")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path(_APPLICATION) / "sweeps"


def cache() -> Path:
    """The folder of what can be computed again."""
    return platformdirs.user_cache_path(_APPLICATION)


def shipped_model() -> Path:
    """The checkpoint that ships with the application."""
    return assets() / "model.safetensors"


def shipped_gallery() -> Path:
    """The gallery that ships with the application, encoded by the shipped model."""
    return assets() / "gallery.safetensors"


def shipped_sweep() -> Path:
    """The results that ship with the application: the paper's eight values of lambda_IG on open data."""
    return assets() / "sweep.safetensors"
