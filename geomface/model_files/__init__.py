"""Face-model files of everyone: read into a MorphableModel, written for other tools."""

from geomface.model_files.dispatch import FORMATS, load_model, save_model
from geomface.model_files.eos import read_eos
from geomface.model_files.flame import read_flame
from geomface.model_files.gltf import write_gltf
from geomface.model_files.ict import read_ict
from geomface.model_files.source import SOURCES, source_of

__all__ = [
    "FORMATS",
    "SOURCES",
    "load_model",
    "read_eos",
    "read_flame",
    "read_ict",
    "save_model",
    "source_of",
    "write_gltf",
]
