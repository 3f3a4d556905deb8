"""What leaves the application: figures, tables, embeddings, and a report that needs nothing else.

Nothing here imports torch or matplotlib before it draws or writes.
"""
