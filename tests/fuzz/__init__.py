"""Damaged inputs by the thousand: see ``tests/fuzz/harness.py``, and ``python -m tests.fuzz --help``."""
