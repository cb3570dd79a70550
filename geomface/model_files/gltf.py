"""A morphable model as a GLB with morph targets, for viewers and engines."""

from pathlib import Path

from geomface.mesh.io.glb_morphs import read_morph_glb, write_morph_glb
from geomface.model_files.parts import refusals
from geomface.model_files.template_record import displacements, geometry_only, model_of, record_of
from geomface.statistics import MorphableModel


def write_gltf(path: Path | str, model: MorphableModel, *, shape_modes: int | None = None) -> None:
    """Write the mean face with a morph target for every shape mode and every expression.

    Targets are float32 displacements at one standard deviation, or at weight 1 of a blendshape;
    all weights are 0, the names are in the mesh's extras. The mean texture or colours come along,
    modes of the texture do not, and this is logged.

    Parameters
    ----------
    path : the file, usually *.glb
    model : its unit, the millimetre, stays in the numbers; the node scales to metres
    shape_modes : how many of the shape modes, by default all

    Raises
    ------
    OutputError : the place cannot be written.
    SettingsError : more modes than the model has.
    """
    mesh = model.instance(name=model.name)
    model = geometry_only(path, model)
    if shape_modes is not None:
        model = model.truncate(shape=shape_modes)
    write_morph_glb(path, mesh, displacements(model), record=record_of(model))


def read_gltf(path: Path | str) -> MorphableModel:
    """Read a model written by `write_gltf`.

    Raises
    ------
    FileFormatError : a GLB of another program, or one that was changed since.
    """
    mesh, found, record = read_morph_glb(path)
    with refusals(path):
        return model_of(path, mesh, record, found)
