"""Bytes in and out: atomic writes, records, arrays, images; every room may use them."""

from geomface.files.atomic import atomic_path, is_temporary
from geomface.files.images import load_image, save_image
from geomface.files.records import read_json, write_json
from geomface.files.tensors import load_tensors, read_header, save_tensors

__all__ = [
    "atomic_path",
    "is_temporary",
    "load_image",
    "load_tensors",
    "read_header",
    "read_json",
    "save_image",
    "save_tensors",
    "write_json",
]
