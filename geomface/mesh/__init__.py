"""Meshes: frozen data, topology, Laplacians, closest points, similarity, landmarks, files."""

from geomface.mesh.landmarks import LandmarkEmbedding, Landmarks
from geomface.mesh.mesh import Mesh, require_same_topology
from geomface.mesh.similarity import Similarity, fit_similarity
from geomface.mesh.template import Template

__all__ = [
    "LandmarkEmbedding",
    "Landmarks",
    "Mesh",
    "Similarity",
    "Template",
    "fit_similarity",
    "require_same_topology",
]
