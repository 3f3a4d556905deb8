"""The desktop application: draw, speak, see. All mathematics lives in :mod:`model`."""
