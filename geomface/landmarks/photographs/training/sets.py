"""What a run keeps of what it learns from: grey faces of `synth faces` sets, and no faces."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from geomface.datasets.drawn import DrawnSet, draw_files
from geomface.datasets.labelled_pictures import SyntheticFaces
from geomface.landmarks.photographs.frames import WINDOW, frames_of
from geomface.landmarks.photographs.training.no_faces import draw_no_face, headless
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import Fingerprint

FACES, EMPTY = "photograph-training-faces", "photograph-training-no-faces"
"""Kinds of the files."""
_PER_FILE = 500
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


class PictureRows:
    """Grey pictures in [0, 1] with what is known of them; the rows of drawn files.

    Convention
    ----------
    "pictures" (B, 1, S, S); of faces "points" (B, 68, 2) pixels and "frames" (B, 4) as `frames_of`
    gives them; "around" (B, 1, S, S) of `around`, if there is one.

    Parameters
    ----------
    drawn : the rows
    around : pictures without a face of the same size, for what lies outside of these
    """

    def __init__(self, drawn: DrawnSet, around: "PictureRows | None" = None) -> None:
        self.drawn, self.around = drawn, around

    def __len__(self) -> int:
        return len(self.drawn)

    def batch(self, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the pictures that are named by their numbers."""
        rows = self.drawn.rows(indices.numpy())
        dtype = torch.get_default_dtype()
        found = {"pictures": torch.from_numpy(rows["pictures"])[:, None].to(dtype) / 255.0}
        if "points" in rows:
            found["points"] = torch.from_numpy(rows["points"]).to(dtype)
            found["frames"] = torch.from_numpy(frames_of(rows["points"])).to(dtype)
        if self.around is not None:
            found["around"] = self.around.batch(indices % len(self.around))["pictures"]
        return found

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each file."""
        return self.drawn.fingerprint()


def pack_faces(
    folder: Path,
    sets: Sequence[SyntheticFaces],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> PictureRows:
    """Keep sets of `synth faces` as grey pictures and points, in a folder of the run.

    Raises
    ------
    DatasetError : pictures of several sizes, or not square
    """
    records = [(faces, record) for faces in sets for record in faces]
    if not records:
        raise DatasetError(
            "faces: expected sets of 'geomface synth faces' with pictures, got none."
        )

    def draw(index: int) -> dict[str, np.ndarray]:
        some = records[index * _PER_FILE : (index + 1) * _PER_FILE]
        pictures = [grey_bytes(faces.image(record)) for faces, record in some]
        shapes = {picture.shape for picture in pictures}
        sides = {side for shape in shapes for side in shape}
        if len(sides) > 1 or min(sides) < WINDOW:
            raise DatasetError(
                f"faces: expected square pictures of one size of at least {WINDOW} pixels, got "
                f"{sorted(shapes)}. Draw them with --size {WINDOW + 64}."
            )
        points = np.stack([record.landmarks for _, record in some]).astype(np.float32)
        seen = np.stack([record.landmarks_visible for _, record in some]).astype(np.uint8)
        return {"pictures": np.stack(pictures), "points": points, "visible": seen}

    config = {
        "sets": [dict(faces.info.get("settings", {})) for faces in sets],
        "pictures": [len(faces) for faces in sets],
    }
    files = -(-len(records) // _PER_FILE)
    return PictureRows(
        DrawnSet(
            draw_files(folder, draw, files, kind=FACES, config=config, on_progress=on_progress)
        )
    )


def draw_no_faces(
    folder: Path,
    faces: PictureRows,
    count: int,
    *,
    seed: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> PictureRows:
    """Draw pictures without a face of the size of the others; a fifth are bodies without heads.

    Parameters
    ----------
    faces : whose bodies are taken
    count : pictures
    """
    size = int(faces.batch(torch.tensor([0]))["pictures"].shape[3])
    each = min(_PER_FILE, count)

    def draw(index: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([seed, index])
        pictures = []
        for _ in range(min(each, count - index * each)):
            if rng.random() < 0.2:
                row = faces.drawn.rows(rng.integers(len(faces), size=1))
                picture = headless(row["pictures"][0] / np.float32(255), row["points"][0], rng)
            else:
                picture = draw_no_face(rng, size)
            pictures.append(grey_bytes(picture))
        return {"pictures": np.stack(pictures)}

    config = {"count": count, "seed": seed, "size": size, "faces": len(faces)}
    files = -(-count // each)
    return PictureRows(
        DrawnSet(
            draw_files(folder, draw, files, kind=EMPTY, config=config, on_progress=on_progress)
        )
    )


def grey_bytes(picture: np.ndarray) -> np.ndarray:
    """Return a picture (H, W) or (H, W, 3) in [0, 1] as grey uint8."""
    grey = picture @ _GREY if picture.ndim == 3 else picture
    return np.round(255.0 * np.clip(grey, 0.0, 1.0)).astype(np.uint8)
