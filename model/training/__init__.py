"""Training: its configuration and its loop."""
