"""Protocols: which pictures are compared, and what the answers are worth."""
