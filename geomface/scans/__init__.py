"""Simulated scans: visibility, damage, occluders, surround, new triangles."""
