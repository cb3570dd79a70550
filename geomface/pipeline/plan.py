"""What a run would do: which items are new, done, or failed before."""

import dataclasses
from pathlib import Path
from typing import Any

from geomface.batch.keys import content_key, file_hash
from geomface.batch.records import DONE, FAILED, ItemRecord, latest_records, outputs_present
from geomface.errors import FileFormatError
from geomface.pipeline.manifest import ScanFile, find_scans
from geomface.pipeline.settings import ItemSettings, PipelineSettings

ITEM_STAGE, ITEM_VERSION = "item", 1
TEMPLATE_STAGE, TEMPLATE_VERSION = "template", 1


@dataclasses.dataclass(frozen=True)
class PlannedItem:
    """One scan of the folder and what is known of it.

    Parameters
    ----------
    scan : its files
    key : content key of the item with the settings of this run
    before : last record with this key, or None
    attempts : number of attempts so far, with any key
    """

    scan: ScanFile
    key: str
    before: ItemRecord | None
    attempts: int


@dataclasses.dataclass(frozen=True)
class PipelinePlan:
    """What a run finds and what it would do.

    Parameters
    ----------
    items : all scans of the folder
    todo : the items that this run does
    template_key : content key of the unwrapped template
    use_landmarks : whether every scan needs a landmark file
    """

    items: tuple[PlannedItem, ...]
    todo: tuple[PlannedItem, ...]
    template_key: str
    use_landmarks: bool

    @property
    def skipped(self) -> tuple[PlannedItem, ...]:
        """Items that nothing is done for."""
        doing = {item.scan.name for item in self.todo}
        return tuple(item for item in self.items if item.scan.name not in doing)

    @property
    def done_before(self) -> int:
        """Number of skipped items that are done."""
        return sum(1 for item in self.skipped if item.before and item.before.status == DONE)

    @property
    def failed_before(self) -> int:
        """Number of skipped items that failed before."""
        return len(self.skipped) - self.done_before

    def sentence(self) -> str:
        """Say in one line what is to do."""
        before = []
        if self.done_before:
            before.append(f"{self.done_before} done")
        if self.failed_before:
            before.append(f"{self.failed_before} failed before (--retry-failed does them again)")
        rest = ", ".join(before)
        if not self.todo:
            return f"nothing to do: {rest}"
        return f"{len(self.todo)} of {len(self.items)} scans to do" + (f"; {rest}" if rest else "")


def plan_pipeline(settings: PipelineSettings) -> PipelinePlan:
    """Look at scans, template and records, and decide what there is to do; writes nothing.

    An item is skipped when its last attempt had the same content key and is done with all outputs
    in place, or failed (unless `retry_failed`): the same input would fail again.

    Raises
    ------
    FileFormatError : no scans, or a template that cannot be read.
    """
    scans = find_scans(settings.scans)
    if settings.limit is not None:
        scans = scans[: settings.limit]
    template = template_key(settings)
    use = settings.landmarks == "required" or (
        settings.landmarks == "auto" and any(scan.landmarks for scan in scans)
    )
    records = latest_records(settings.out / "records")
    items = []
    for scan in scans:
        key = item_key(scan, settings.item, template, use)
        last = records.get(scan.name)
        same = last is not None and last.key == key
        items.append(PlannedItem(scan, key, last if same else None, last.attempt if last else 0))
    todo = [item for item in items if _to_do(item, settings)]
    return PipelinePlan(tuple(items), tuple(todo), template, use)


def _to_do(item: PlannedItem, settings: PipelineSettings) -> bool:
    if item.before is None:
        return True
    if item.before.status == FAILED:
        return settings.retry_failed
    return not outputs_present(settings.out, item.before)


def template_key(settings: PipelineSettings) -> str:
    """Return the content key of the unwrapped template."""
    if settings.template is None:
        from geomface.faces.builtin import FOLDER
        from geomface.files.assets import asset_path

        folder = asset_path(f"{FOLDER}/face_model.safetensors").parent
        files: list[Path] = sorted(path for path in folder.iterdir() if path.suffix != ".md")
    else:
        beside = [
            settings.template.with_name(f"{settings.template.stem}.{what}.json")
            for what in ("landmarks", "regions")
        ]
        given = [settings.template_landmarks, settings.regions]
        files = [settings.template]
        files += [
            path if path is not None else near
            for path, near in zip(given, beside, strict=True)
            if path is not None or near.is_file()
        ]
    hashes = [f"{path.name}:{file_hash(path)}" for path in files]
    return content_key(TEMPLATE_STAGE, TEMPLATE_VERSION, settings.unwrap, *hashes)


def item_key(scan: ScanFile, settings: ItemSettings, template: str, use_landmarks: bool) -> str:
    """Return the content key of one scan's item."""
    hashes = [_hash_or_note(scan.scan)]
    hashes.append(_hash_or_note(scan.landmarks) if scan.landmarks else f"none:{use_landmarks}")
    hashes += [f"{path.name}:{_hash_or_note(path)}" for path in scan.companions]
    options: dict[str, Any] = {"settings": settings, "suffix": scan.scan.suffix.lower()}
    return content_key(ITEM_STAGE, ITEM_VERSION, options, template, *hashes)


def _hash_or_note(path: Path) -> str:
    """Return the file's hash; an unreadable file gets a key too, and then a failed record."""
    try:
        return file_hash(path)
    except FileFormatError:
        return "unreadable"
