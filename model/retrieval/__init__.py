"""Galleries, nearest neighbours, and projections to two dimensions."""
