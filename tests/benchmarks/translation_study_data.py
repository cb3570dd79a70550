"""Sets of `translation_study.py`: renders, photographs and pairs, with the truth about each.

    python tests/benchmarks/translation_study_data.py --out DIR

All are drawn by `FaceSampler` and aligned at 32 x 32 by their own landmarks, once, as
DIR/sets/NAME.npz. People of one set are in no other; photographs are lit like the renders, so that
light can be read back. The same command goes on where it stopped.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import torch

from geomface.files.atomic import atomic_path
from geomface.recognition import AlignedFaces, Alignment, align_face, aligned_faces
from geomface.recognition.aligned.aligned_faces import as_levels
from geomface.recognition.alignment.warp import align_landmarks
from geomface.synthesis import FaceImageSettings, FaceParameters, FaceSampler, PhotoSettings
from geomface.synthesis.parameters import head_rotation
from geomface.synthesis.settings import DEFAULT_OUTPUTS

SIZE, DRAWN = 32, 96
"""Pixels of the aligned pictures, and of those that they are taken from."""
ALIGNMENT = Alignment(SIZE, SIZE)
LIGHT = PhotoSettings(light_rig="room", wear="per-picture")


@dataclasses.dataclass(frozen=True)
class DrawnSet:
    """What is drawn: people, pictures of each, seed, and whether as photographs."""

    people: int
    samples: int
    seed: int
    photographs: bool = True


SETS = {
    "renders": DrawnSet(100, 6, 101, photographs=False),
    "renders test": DrawnSet(60, 6, 102, photographs=False),
    "renders other": DrawnSet(100, 6, 103, photographs=False),
    "pair renders": DrawnSet(100, 1, 104, photographs=False),
    "pair photographs": DrawnSet(100, 1, 104),
    "pair renders test": DrawnSet(60, 1, 105, photographs=False),
    "pair photographs test": DrawnSet(60, 1, 105),
    "photographs test": DrawnSet(90, 4, 112),
    "photographs other": DrawnSet(100, 6, 113),
    "photographs": DrawnSet(200, 6, 111),
}
"""Renders and photographs of a training and of its tests; others teach who measures."""


@dataclasses.dataclass(frozen=True, eq=False)
class KnownFaces:
    """Aligned pictures and the truth behind them.

    Parameters
    ----------
    faces : pictures, people, and masks of renders
    pose : (N, 2) yaw and pitch, degrees
    light : (N, 3) unit, towards the main light from the face turned upright: to the right of the
        picture, up, to the eye
    points : (N, 68, 2) landmarks, aligned pixels
    """

    faces: AlignedFaces
    pose: np.ndarray
    light: np.ndarray
    points: np.ndarray

    def images(self) -> torch.Tensor:
        """Return (N, 3, S, S) in [-1, 1]."""
        return self.faces.batch(torch.arange(len(self.faces)))["images"]


def known_faces(name: str, out: Path) -> KnownFaces:
    """Draw a set unless it is there, and return it."""
    path = out / "sets" / f"{name.replace(' ', '-')}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = draw_set(SETS[name])
        with atomic_path(path) as place:
            np.savez_compressed(place, **drawn)  # type: ignore[arg-type]
        print(f"{name}: {len(drawn['pose'])} pictures", flush=True)
    with np.load(path, allow_pickle=False) as held:
        kept = dict(held)
    levels = kept["pictures"].astype(np.float32) / np.float32(255)
    names = [f"{person}_{sample}" for person, sample in kept["numbers"]]
    people = [f"{SETS[name].seed}/{person}" for person in kept["numbers"][:, 0]]
    faces = aligned_faces(levels, people, ALIGNMENT, names)
    if "masks" in kept:
        faces = dataclasses.replace(faces, masks=kept["masks"])
    return KnownFaces(faces, kept["pose"], kept["light"], kept["points"])


def draw_set(use: DrawnSet) -> dict[str, np.ndarray]:
    """Return the pictures of a set, aligned, and the truth behind them."""
    settings = FaceImageSettings(
        use.people,
        use.samples,
        size=DRAWN,
        seed=use.seed,
        preset="photo" if use.photographs else "plain",
        outputs=DEFAULT_OUTPUTS if use.photographs else (*DEFAULT_OUTPUTS, "alpha"),
        photo=LIGHT,
    )
    kept: dict[str, list[np.ndarray]] = {}
    for batch in FaceSampler(settings).batches(8):
        for row, item in enumerate(batch.parameters):
            points = batch.landmarks[row].astype(np.float64)
            shown = align_face(batch.images["rgb"][row], points, ALIGNMENT)
            found = {
                "pictures": _rounded(shown),
                "numbers": np.array([item.identity, item.sample]),
                "pose": np.array([item.yaw, item.pitch]),
                "light": upright_light(item),
                "points": align_landmarks(points, ALIGNMENT),
            }
            if not use.photographs:
                mask = align_face(batch.images["alpha"][row], points, ALIGNMENT)
                found["masks"] = as_levels(mask[None])[0, :1]
            for name, value in found.items():
                kept.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in kept.items()}


def upright_light(item: FaceParameters) -> np.ndarray:
    """Return where the light of a picture comes from, once its face is turned upright."""
    y, z, x = item.light[1:4].mean(axis=1)
    towards = head_rotation(item.yaw, item.pitch, 0.0) @ np.array([x, y, z])
    return towards * [1.0, -1.0, -1.0] / np.linalg.norm(towards)


def _rounded(picture: np.ndarray) -> np.ndarray:
    return as_levels(picture[None])[0].transpose(1, 2, 0)


def main() -> None:
    """Draw what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    for name in SETS:
        known_faces(name, out)


if __name__ == "__main__":
    main()
