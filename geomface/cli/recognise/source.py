"""What an evaluation measures: descriptors in a file, or pictures of a folder to be described."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from geomface.cli.recognise.embedder_file import embedder_id, embedder_path
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.pipeline.embed_pictures import embed_pictures, pictures_to_embed
from geomface.recognition.embedder.face_embedder import FaceEmbedder, load_embedder
from geomface.recognition.protocols.embeddings import Embeddings, as_stored, load_embeddings
from geomface.recognition.protocols.people import people_of


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Pictures whose descriptors are to be measured.

    Parameters
    ----------
    names : of the pictures
    people : who is in each, "" where not known
    describe : returns the descriptors, and {name: why} of pictures that could not be described now
    """

    names: tuple[str, ...]
    people: tuple[str, ...]
    describe: Callable[[], tuple[Embeddings, dict[str, str]]]


def find_source(
    path: Path, embedder: Path | None, labels: Path | None, workers: int, run: Run
) -> Source:
    """Return the descriptors of a file, or the pictures of a folder, which are not read yet.

    Parameters
    ----------
    path : npz of `geomface recognise embed`, or a folder of photographs or aligned faces
    embedder : its file, for a folder; default the one that ships
    labels : table of who is in the pictures; default as the file tells, or their folders
    workers : processes that describe
    run : shows the progress

    Raises
    ------
    SettingsError : descriptors with an embedder
    GeomfaceError : what cannot be read
    """
    if not path.is_dir():
        if embedder is not None:
            raise SettingsError(
                f"--embedder {embedder}: is for folders of pictures, {path} holds descriptors "
                "already. Leave it away, or give the folder."
            )
        given = load_embeddings(path)
        people = given.people
        if labels is not None or not any(people):
            people = tuple(people_of(given.names, labels).values())
        return Source(given.names, people, lambda: (given, {}))
    embedder = embedder_path(embedder)
    photographs, lost = pictures_to_embed(path, load_embedder(embedder).alignment)
    names = (*(photograph.name for photograph in photographs), *lost)
    told = [photograph.person for photograph in photographs] + [""] * len(lost)
    people = tuple(told) if labels is None else tuple(people_of(names, labels).values())

    def describe() -> tuple[Embeddings, dict[str, str]]:
        with run.progress("pictures", len(photographs)) as step:
            step(0)
            found = embed_pictures(
                photographs, _load, embedder, workers=workers, lost=lost, on_progress=step
            )
        run.add_notes(found.notes)
        given = dataclasses.replace(found.embeddings, embedder=embedder_id(embedder))
        return as_stored(given), found.failures

    return Source(names, people, describe)


def _load(path: Path | None) -> FaceEmbedder:
    """Read an embedder; worker processes call it by its name."""
    if path is None:
        raise SettingsError("expected the file of an embedder, got none. Give --embedder FILE.")
    return load_embedder(path)
