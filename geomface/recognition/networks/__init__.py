"""Embedding networks: from an aligned picture of a face to a point of the unit sphere."""
