"""Writes the assets of the built-in face."""

from pathlib import Path

import numpy as np

from builtin_face import cage
from builtin_face.card import card
from builtin_face.landmarks import SUBSET43
from builtin_face.sculpture import sculpt
from geomface.faces.builtin import KIND, SCHEMA
from geomface.files.atomic import atomic_path
from geomface.files.records import write_json
from geomface.files.tensors import save_tensors
from geomface.mesh import Mesh
from geomface.mesh.io.obj import write_obj

MODE_TYPE = np.float16


def write_assets(folder: str | Path) -> list[Path]:
    """Sculpt the face and write its files into `folder`; returns their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    face = sculpt()
    mesh = Mesh(face.vertices, quads=face.layout.quads, name="builtin face")
    center = np.array(cage.EYE_CENTER)
    save_tensors(
        folder / "face_model.safetensors",
        {
            "vertices": face.vertices,
            "quads": face.layout.quads.astype(np.int32),
            "identity_modes": np.stack(list(face.identity.values())).astype(MODE_TYPE),
            "expression_modes": np.stack(list(face.expression.values())).astype(MODE_TYPE),
            "eyeball_centers": np.stack([center, center * [-1.0, 1.0, 1.0]]),
        },
        kind=KIND,
        schema=SCHEMA,
        topology_id=mesh.topology_id,
        units="mm",
        config={
            "identity_names": list(face.identity),
            "expression_names": list(face.expression),
            "eyeball_radius": cage.EYE_RADIUS,
        },
    )
    write_obj(folder / "face.obj", mesh)
    for name, scheme, picked in (
        ("face.landmarks.json", "multi-pie-68", slice(None)),
        ("face.landmarks43.json", "multi-pie-43", list(SUBSET43)),
    ):
        ids = face.landmarks[picked].tolist()
        write_json(folder / name, {"scheme": scheme, "vertices": ids}, indent=None)
    write_json(
        folder / "face.regions.json",
        {name: ids.tolist() for name, ids in face.regions.items()},
        indent=None,
    )
    with atomic_path(folder / "card.md") as path:
        path.write_text(card(face), encoding="utf-8")
    return sorted(folder.iterdir())
