"""Face models: the built-in face, ICT-FaceKit, procedural albedo."""

from geomface.faces.builtin import load_builtin_face
from geomface.faces.ict import load_ict

__all__ = ["load_builtin_face", "load_ict"]
