"""Corpora, training pairs, pictures and sounds."""
