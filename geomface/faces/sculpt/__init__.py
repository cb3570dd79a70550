"""The workshop of the built-in face: from anatomical control points to the shipped assets.

Layout (which quads), cage (control points in millimetres), fairing (the smooth surface through
them), strokes (local forms), identity and expression fields, landmarks and regions, build.
Run `python -m geomface.faces.sculpt` to rebuild `assets/templates/face`.
"""
