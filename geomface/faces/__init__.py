"""Face models: the built-in face, ICT-FaceKit, procedural albedo, simulated scans."""

from geomface.faces.builtin import load_builtin_face
from geomface.faces.face_model import Eyeballs, FaceModel
from geomface.faces.ict import load_ict

__all__ = ["Eyeballs", "FaceModel", "load_builtin_face", "load_ict"]
