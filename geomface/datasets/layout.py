"""Where the files of a set or a run lie: the one place that spells their names."""

from pathlib import Path

RUN_FILE = "run.json"
SET_FILE = "set.json"
MANIFEST, FAILURES, SHARD_INDEX = "manifest.jsonl", "failures.jsonl", "index.json"
REPORT_PAGE = "report.html"
RECORDS = "records"
RUN_SETTINGS = f"{RECORDS}/settings.json"
"""How a set was asked for: what its head leaves out since the bytes do not depend on it."""
INPUT_DIGESTS = f"{RECORDS}/inputs.json"
ITEMS, PARTS, TRUTH = "items", "parts", "truth"
TEMPLATE = "template"
TEMPLATE_MESH = f"{TEMPLATE}/template.obj"
TEMPLATE_REPORT = f"{TEMPLATE}/unwrap.json"
LABEL_TABLES = ("labels.csv", "labels.jsonl")
MODEL = "model"
MODEL_RECORDS = f"{RECORDS}/model"

REGISTERED = "registered.ply"
REGISTERED_TEXTURED = "registered.obj"
REGISTERED_FOR_VIEWERS = "registered.glb"
TEXTURE = "registered.texture.png"
MASK = "mask.png"
GEOMETRY_IMAGE = "geometry_image.safetensors"
GEOMETRY_PICTURE = "geometry_image.png"
ITEM_REPORT = "report.json"
TRUTH_ARRAYS = "truth.safetensors"
SHARD = "pictures.tar"
ALIGNED_IMAGES = "images.npy"
ALIGNED_MASKS = "masks.npy"

MORPHABLE_MODEL = "model.safetensors"
MEAN = "mean.obj"

SCAN_LANDMARKS, SCAN_TRUTH = ".landmarks.json", ".truth.npz"
"""What follows the stem of a scan in the names of the files beside it."""


def files_below(root: Path, name: str, *, deep: bool = True) -> list[Path]:
    """Return all files of a name, sorted, but for hidden ones: they are no part of a set.

    Some are still being written, some are notes of a file system (`._NAME` of macOS). `deep` looks
    into folders too.
    """
    return sorted(
        path
        for path in (root.rglob(name) if deep else root.glob(name))
        if not any(part[0] == "." for part in path.relative_to(root).parts)
    )
