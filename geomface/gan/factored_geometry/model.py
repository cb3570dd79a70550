"""A trained factored geometry GAN: codes to meshes, without any training data."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.arrays import FloatArray
from geomface.errors import FileFormatError, SettingsError
from geomface.files.assets import asset_path
from geomface.files.reading import taking_apart
from geomface.gan.factored_geometry.codes import Codes, Factor, LatentSpec, draw_codes
from geomface.gan.factored_geometry.encoder import CodeEncoder
from geomface.gan.factored_geometry.model_file import build_encoder, read_encoder
from geomface.gan.factored_geometry.networks import GeometryGenerator
from geomface.gan.factored_geometry.settings import SYSTEM, NetworkSettings
from geomface.gan.factored_geometry.stored import make_frame, restore_template
from geomface.geometry_image import GeometryFrame
from geomface.learning import TrainedModel, load_trained
from geomface.mesh import Mesh, Template

ASSET = "factored_geometry/model.safetensors"
"""The model that ships."""
_BLOCK = 256
LARGEST_MM = 1e4
"""No displacement of a face is larger."""


@dataclasses.dataclass(frozen=True, eq=False)
class FactoredModel:
    """A generator of faces whose factors are separate knobs.

    Parameters
    ----------
    spec : blocks of its codes, with the classes of the factors
    generator : codes (N, D) to images (N, 3, S, S), in evaluation mode
    frame : images to vertices
    template : mean face with the uv, landmarks and regions of the output
    fixed : {factor: (K, d) float32} the code of each class
    alpha : smoothness of the meshes
    step : of the training
    name : what messages call it
    encoder : images to codes, where fits begin; None until one is trained
    config : of the checkpoint

    Example
    -------
    >>> import geomface as gf
    >>> model = gf.load_factored()
    >>> anna = model.draw(1, seed=3, expression="neutral")
    >>> happy = anna.replace(expression=model.code("expression", "happy"))
    >>> model.vertices(happy).shape
    (1, 7756, 3)
    """

    spec: LatentSpec
    generator: torch.nn.Module
    frame: GeometryFrame
    template: Template
    fixed: Mapping[str, np.ndarray]
    alpha: float = 1.2
    step: int = 0
    name: str = "factored geometry GAN"
    encoder: CodeEncoder | None = None
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def code(self, factor: str, label: str) -> np.ndarray:
        """Return the (d,) code that stands for a class, such as "expression" and "happy"."""
        classes = self.spec.factor(factor).classes
        if label not in classes:
            known = ", ".join(classes[:12]) + (", ..." if len(classes) > 12 else "")
            raise SettingsError(
                f"{factor}: expected one of {known or 'no classes'}, got {label!r}."
            )
        return self.fixed[factor][classes.index(label)]

    def draw(self, count: int, *, seed: int = 0, **labels: str | Sequence[str]) -> Codes:
        """Draw codes from N(0, I), some parts from labels.

        Parameters
        ----------
        count : faces
        seed : of the draw
        labels : {factor: class, or one a face}, such as expression="happy"

        Raises
        ------
        SettingsError : an unknown factor or class, or another number of classes than faces
        """
        codes = draw_codes(self.spec, count, seed=seed)
        for factor, given in labels.items():
            if not isinstance(given, str | Sequence | np.ndarray):
                raise SettingsError(
                    f"{factor}: expected a class, or one for each face, got {given!r}. Leave it "
                    "out for random codes."
                )
            names = [given] * count if isinstance(given, str) else list(given)
            if len(names) != count:
                raise SettingsError(
                    f"{factor}: expected a class, or one for each of {count} faces, got "
                    f"{len(names)}."
                )
            found = [self.code(factor, name) for name in names]
            codes = codes.replace(**{factor: np.stack(found) if found else codes.part(factor)})
        return codes

    @torch.no_grad()
    def images(self, codes: Codes) -> np.ndarray:
        """Return the (N, 3, S, S) float32 images of codes, in [-1, 1]."""
        self._require(codes)
        size = self.frame.size
        if not len(codes):
            return np.zeros((0, 3, size, size), np.float32)
        blocks = torch.from_numpy(codes.values).split(_BLOCK)
        return torch.cat([self.generator(block) for block in blocks]).numpy()

    def vertices(self, codes: Codes, *, alpha: float | None = None) -> FloatArray:
        """Return the faces (N, V, 3) float64 of codes, in mm.

        Parameters
        ----------
        codes : of this model
        alpha : of `GeometryImageDecoder`; None takes the model's
        """
        images = self.images(codes)
        if not len(codes):
            return np.zeros((0, *self.template.mesh.vertices.shape))
        return self.frame.to_vertices(images, self.alpha if alpha is None else alpha)

    def meshes(self, codes: Codes, names: Sequence[str] | None = None) -> list[Mesh]:
        """Return the faces of codes on the template, in mm, with its uv.

        Raises
        ------
        SettingsError : codes of another model, or another number of names than codes
        """
        self._require(codes)
        named = [f"face{row:03d}" for row in range(len(codes))] if names is None else names
        if len(named) != len(codes):
            raise SettingsError(
                f"names: expected one for each of {len(codes)} faces, got {len(named)}."
            )
        shapes = self.vertices(codes)
        return [
            self.template.mesh.replace(vertices=shape, name=name)
            for shape, name in zip(shapes, named, strict=True)
        ]

    def _require(self, codes: Codes) -> None:
        size = codes.spec.size if isinstance(codes, Codes) else type(codes).__name__
        if size != self.spec.size:
            raise SettingsError(
                f"{self.name}: expected codes of {self.spec.size} numbers, got {size}. Codes come "
                "from `draw` or `fit_faces` of this model."
            )


def load_factored(path: Path | str | None = None) -> FactoredModel:
    """Return the model of a run, a checkpoint or a model file, with its encoder if it has one.

    Parameters
    ----------
    path : run directory, checkpoint or model file; None for the model that ships

    Raises
    ------
    FileFormatError : missing, damaged, or neither of these
    CheckpointError : of another system

    Example
    -------
    >>> import geomface as gf
    >>> model = gf.load_factored()  # the one that ships; a run: gf.load_factored("my-run")
    >>> smiles = model.meshes(model.draw(2, seed=1, expression="happy"))
    >>> [mesh.unit for mesh in smiles]
    ['mm', 'mm']
    """
    if path is not None and not isinstance(path, str | Path):
        raise FileFormatError(
            f"expected the path of a run, a checkpoint or a model file, got {path!r}."
        )
    name = "the model that ships" if path is None else Path(path).name
    path = asset_path(ASSET) if path is None else path
    trained = load_trained(path, system=SYSTEM)
    with taking_apart(trained.path, "a face model"):
        return _read_model(trained, path, name)


def _read_model(trained: TrainedModel, path: Path | str, name: str) -> FactoredModel:
    config = trained.config
    factors = tuple(
        Factor(item["name"], item["dims"], tuple(item["classes"]), item["classified"])
        for item in config["factors"]
    )
    spec = LatentSpec(factors, config["noise"])
    settings = NetworkSettings(**config["networks"])
    generator = trained.build(
        "generator_ema", lambda: GeometryGenerator(settings, spec.size, config["deviation"])
    )
    generator = generator.eval().requires_grad_(False)
    template = restore_template(trained)
    if "encoder" in trained.arrays:
        sizes, arrays = config["encoder"], dict(trained.arrays["encoder"])
        encoder = build_encoder(sizes, arrays, f"{trained.path}: encoder")
    else:
        encoder = read_encoder(path, generator)
    fixed = {key: np.array(table) for key, table in trained.arrays["codes"].items()}
    for factor in factors:
        if fixed[factor.name].shape != (len(factor.classes), factor.dims):
            raise FileFormatError(
                f"{trained.path}: expected codes of {len(factor.classes)} classes of "
                f"{factor.name}, got an array of shape {fixed[factor.name].shape}. The file is "
                "damaged: write it again."
            )
    alpha, deviation = float(config["alpha"]), float(config["deviation"])
    limit = float(config["limit"])
    if not (0 < alpha < np.inf and 0 < deviation <= 1 and 0 < limit < LARGEST_MM):
        raise FileFormatError(
            f"{trained.path}: expected alpha above 0, a deviation in (0, 1] and a range of up to "
            f"{LARGEST_MM:g} mm, got {alpha}, {deviation} and {limit}. The file is damaged: write "
            "it again."
        )
    return FactoredModel(
        spec,
        generator,
        make_frame(template, settings.size, limit),
        template,
        fixed,
        alpha=alpha,
        step=trained.step,
        name=name,
        encoder=encoder,
        config=config,
    )
