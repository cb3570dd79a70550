"""What does not belong into one model is named."""

import numpy as np
import pytest

from geomface.errors import MeshError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Mesh
from geomface.statistics.one_set import one_set


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


def faces(face, count=6, **fields):
    shapes = [
        face.vertices(np.random.default_rng(k).standard_normal(len(face.shape)))
        for k in range(count)
    ]
    return [
        Mesh(shape, face.mesh.faces, name=f"p{k}.ply", **fields) for k, shape in enumerate(shapes)
    ]


@pytest.mark.parametrize("known", [True, False])
class TestSets:
    def reference(self, face, known):
        return face.mesh.vertices if known else None

    def test_faces_are_one_set(self, face, known):
        meshes = faces(face)
        vertices, notes = one_set(meshes, self.reference(face, known))
        np.testing.assert_array_equal(vertices, [mesh.vertices for mesh in meshes])
        assert not notes

    def test_metres_among_millimetres_are_converted_and_said(self, face, known):
        meshes = faces(face)
        meshes[2] = meshes[2].replace(vertices=meshes[2].vertices / 1000, name="metres.ply")
        vertices, notes = one_set(
            [mesh.replace(unit_source="assumed") for mesh in meshes], self.reference(face, known)
        )
        np.testing.assert_allclose(vertices[2], faces(face)[2].vertices)
        assert len(notes) == 1 and "metres.ply" in notes[0]

    @pytest.mark.parametrize("which", [[1], [3, 4, 5]])
    def test_mirror_images_are_named(self, face, known, which):
        meshes = faces(face)
        for k in which:
            meshes[k] = meshes[k].replace(vertices=meshes[k].vertices * [-1, 1, 1])
        with pytest.raises(MeshError, match="mirror images") as caught:
            one_set(meshes, self.reference(face, known))
        assert all((f"p{k}.ply" in str(caught.value)) == (k in which) for k in range(6))

    @pytest.mark.parametrize("distance", [1e3, 1e5])
    def test_a_vertex_far_away_is_named(self, face, known, distance):
        meshes = faces(face)
        shape = meshes[4].vertices.copy()
        shape[77] += distance
        meshes[4] = meshes[4].replace(vertices=shape)
        with pytest.raises(MeshError, match=r"^p4\.ply: .*vertex 77 of p4\.ply by"):
            one_set(meshes, self.reference(face, known))

    def test_equal_meshes_are_refused(self, face, known):
        with pytest.raises(MeshError, match="6 equal meshes"):
            one_set(faces(face, 1) * 6, self.reference(face, known))

    def test_an_unusual_size_is_said(self, face, known):
        meshes = faces(face)
        meshes[3] = meshes[3].replace(vertices=1.8 * meshes[3].vertices)
        _, notes = one_set(meshes, self.reference(face, known))
        assert len(notes) == 1 and "p3.ply: 1." in notes[0] and "Check its unit" in notes[0]
