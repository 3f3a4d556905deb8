"""Galleries, the nearest neighbours of a query, and their projection to two dimensions."""
