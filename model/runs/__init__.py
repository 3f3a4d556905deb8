"""Training runs: the folders that keep them, and the code that writes and reads those."""
