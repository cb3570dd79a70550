"""`geomface landmarks detect --image`: the landmarks of faces in photographs."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomface.cli.inputs import PICTURE_SUFFIXES, make_folder, require_output
from geomface.cli.run import Run
from geomface.errors import FileFormatError, GeomfaceError, LandmarkError

if TYPE_CHECKING:
    from geomface.landmarks.photographs.detect import PhotographLandmarks
    from geomface.landmarks.photographs.result import PhotographResult

ENDING = ".landmarks.json"
"""Of the landmark files of a folder, behind a picture's name without its own ending."""


def detect_in_picture(
    run: Run, image: Path, out: Path, *, picture: Path | None, report: Path | None
) -> int:
    """Find the faces in one picture and write the landmarks of the largest, the others beside."""
    require_output(picture, "--picture", PICTURE_SUFFIXES, (image,))
    require_output(report, "--report", (".json",), (image,))
    if run.common.dry_run:
        return run.plan([f"find faces in {image}", f"write {out}"])
    from geomface.landmarks.photographs.detect import PhotographLandmarks

    result = _detect(PhotographLandmarks(), image, out, picture)
    run.add_notes(result.notes)
    run.finish(_figures(result), report)
    sure = result.faces[0].confidence
    run.say(
        f"{out}: 68 landmarks of {_count(len(result.faces))}, confidence "
        f"{sure.mean():.2f} (lowest {sure.min():.2f}), {result.seconds:.2f} s"
    )
    return 0


def detect_in_folder(
    run: Run, folder: Path, out: Path, *, force: bool, picture: Path | None, report: Path | None
) -> int:
    """Find the faces in all pictures of a folder; those without one are told and left out."""
    from geomface.datasets.picture_folder import pictures_below
    from geomface.files.images import IMAGE_SUFFIXES

    require_output(report, "--report", (".json",))
    paths = pictures_below(folder)
    if not paths:
        raise FileFormatError(
            f"{folder}: expected pictures ({', '.join(IMAGE_SUFFIXES)}) in it or below, got none."
        )
    places = {path: out / path.relative_to(folder).with_suffix(ENDING) for path in paths}
    shared = [place for place, times in Counter(places.values()).items() if times > 1]
    if shared:
        raise FileFormatError(
            f"{folder}: expected pictures whose names differ without their endings, but "
            f"{shared[0].name} would belong to several. Rename them, or take one at a time."
        )
    # What is there may have been marked by hand, or is of a run that was interrupted.
    todo = [path for path in paths if force or not places[path].exists()]
    if kept := len(paths) - len(todo):
        run.note(
            f"{kept} landmark files are already in {out} and stay as they are; --force replaces "
            "them."
        )
    if run.common.dry_run:
        return run.plan([f"find faces in {len(todo)} pictures of {folder}", f"write into {out}"])
    from geomface.landmarks.photographs.detect import PhotographLandmarks

    detector, found, failed = PhotographLandmarks(), {}, {}
    noted: dict[str, list[Path]] = defaultdict(list)
    if out.resolve() != folder.resolve():
        make_folder(out)
    if picture is not None:
        make_folder(picture, "--picture")
    with run.progress("pictures", len(todo)) as step:
        if todo:
            step(0)
        for done, path in enumerate(todo, 1):
            name = path.relative_to(folder)
            places[path].parent.mkdir(parents=True, exist_ok=True)
            shown = None
            if picture is not None:
                shown = picture / name.with_suffix(".png")
                shown.parent.mkdir(parents=True, exist_ok=True)
            try:
                result = _detect(detector, path, places[path], shown)
                found[str(name)] = _figures(result)
                for note in result.notes:
                    noted[note].append(name)
            except GeomfaceError as error:
                failed[str(name)] = str(error)
                run.warn(f"failed: {error}")
            step(done, str(name))
    for note, names in noted.items():
        where = str(names[0]) if len(names) == 1 else f"{len(names)} pictures such as {names[0]}"
        run.note(f"{where}: {note}")
    figures = {"pictures": len(paths), "there_already": kept, "found": found, "failed": failed}
    run.finish(figures, report)
    run.say(
        f"{out}: landmarks of {len(found)} of {len(todo)} pictures, {len(failed)} failed, "
        f"{run.seconds:.1f} s"
    )
    return 3 if failed else 0


def _detect(
    detector: "PhotographLandmarks", image: Path, out: Path, picture: Path | None
) -> "PhotographResult":
    """Find, and write the landmarks, and the picture of them if one is wanted."""
    from geomface.files import load_image, save_image
    from geomface.landmarks.photographs.result import require_face
    from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
    from geomface.report.photograph_picture import photograph_picture

    pixels = load_image(image)
    try:
        result = require_face(detector.detect(pixels))
    except LandmarkError as error:
        raise LandmarkError(f"{image}: {error}") from error
    largest, *others = (
        PixelLandmarks(face.points, image_size=result.image_size, confidence=face.confidence)
        for face in result.faces
    )
    if picture is not None:
        save_image(picture, photograph_picture(pixels, result))
    save_pixel_landmarks(out, largest, others)  # last: a picture that has it is done
    return result


def _figures(result: "PhotographResult") -> dict[str, Any]:
    faces = [
        {
            "score": face.score,
            "centre": face.frame[:2],
            "radius_px": face.frame[2],
            "roll_degrees": 57.29577951308232 * face.frame[3],
            "confidence": face.confidence,
            "sigma_px": face.sigma_px,
        }
        for face in result.faces
    ]
    width, height = result.image_size[1], result.image_size[0]
    return {"faces": faces, "image_size": [width, height], "notes": result.notes}


def _count(faces: int) -> str:
    return "one face" if faces == 1 else f"the largest of {faces} faces"
