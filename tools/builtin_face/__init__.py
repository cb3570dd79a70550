"""The workshop of the built-in face: from anatomical control points to the shipped assets.

Layout (which quads), cage (control points in millimetres), fairing (the smooth surface through
them), strokes (local forms), identity and expression fields, landmarks and regions, build.
`python tools/make_builtin_face.py` rebuilds `assets/templates/face`.
"""
