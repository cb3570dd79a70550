"""Where the files of a set or a run lie: the one place that spells their names."""

from pathlib import Path

RUN_FILE = "run.json"
RECORDS = "records"
ITEMS = "items"
TEMPLATE = "template"
TEMPLATE_MESH = f"{TEMPLATE}/template.obj"
TEMPLATE_REPORT = f"{TEMPLATE}/unwrap.json"
MODEL = "model"
MODEL_RECORDS = f"{RECORDS}/model"

REGISTERED = "registered.ply"
REGISTERED_TEXTURED = "registered.obj"
TEXTURE = "registered.texture.png"
MASK = "mask.png"
GEOMETRY_IMAGE = "geometry_image.safetensors"
GEOMETRY_PICTURE = "geometry_image.png"
ITEM_REPORT = "report.json"

MORPHABLE_MODEL = "model.safetensors"
MEAN = "mean.obj"


def files_below(root: Path, name: str) -> list[Path]:
    """Return all files of a name, sorted, but for those in hidden folders, still being written."""
    return sorted(
        path
        for path in root.rglob(name)
        if not any(part[0] == "." for part in path.relative_to(root).parts)
    )
