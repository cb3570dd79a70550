"""Margin softmax with soft targets: how an embedding network learns to tell people apart."""
