"""Faces for training from chosen factors: identity, expression, light, pose and noise."""
