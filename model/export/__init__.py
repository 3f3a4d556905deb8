"""Exports: figures, tables, embeddings and reports.

Nothing here imports torch or matplotlib before it draws or writes.
"""
