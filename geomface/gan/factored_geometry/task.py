"""The factored geometry GAN as a task for the training loop."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.datasets.labelled_faces import LabelledFaces, check_labels, split_faces
from geomface.gan.factored_geometry.codes import LatentSpec
from geomface.gan.factored_geometry.layout import CodeBatch, alternate_batch, labelled_batch
from geomface.gan.factored_geometry.losses import feature_loss, total_variation
from geomface.gan.factored_geometry.networks import (
    FactoredDiscriminator,
    GeometryGenerator,
    Heads,
    image_deviation,
)
from geomface.gan.factored_geometry.pictures import face_pictures
from geomface.gan.factored_geometry.settings import SYSTEM, FactoredSettings
from geomface.gan.factored_geometry.sources import FaceSource
from geomface.gan.factored_geometry.stored import FixedCodes, StoredTemplate, store_template
from geomface.geometry_image import GeometryFrame, fit_frame
from geomface.learning import (
    ArraySet,
    Batch,
    Metrics,
    Phase,
    PhasedTask,
    Resume,
    Stream,
    TrainingResult,
    class_batches,
    class_weights,
    d_loss,
    frozen,
    g_loss,
    label_loss,
    run_training,
)
from geomface.learning.fingerprint import Fingerprint, content_hash
from geomface.rendering import contact_sheet

PEOPLE, COLUMNS, PIXELS = 5, 8, 96
"""Of a sample sheet: rows, most columns (classes of the last factor), and of a face on it."""
CLASSES_A_BATCH = 8


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingImages:
    """Geometry images of a training set with their labels.

    Parameters
    ----------
    frame : what made them images
    images : (N, 3, S, S) float32 in [-1, 1], or uint8
    labels : {factor: (N,) int64}, -1 unknown
    classes : {factor: names}
    template : mesh, landmarks and regions for the output
    """

    frame: GeometryFrame
    images: np.ndarray
    labels: Mapping[str, np.ndarray]
    classes: Mapping[str, tuple[str, ...]]
    template: Any


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledImages(ArraySet):
    """Images with labels; what the labels are called is part of the data, too.

    Parameters
    ----------
    columns : {name: (N, ...)}
    classes : {factor: names}
    """

    classes: Mapping[str, tuple[str, ...]]

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each row, and one for the classes of each factor."""
        names = {f"classes of {k}": content_hash(repr(v).encode()) for k, v in self.classes.items()}
        return super().fingerprint() | names


def training_images(faces: LabelledFaces, size: int, *, bits: int = 32) -> TrainingImages:
    """Return the geometry images of registered faces; their mean face and range are the frame's.

    Parameters
    ----------
    faces : the training people's
    size : pixels a side
    bits : 8 rounds to the 256 codes over [-1, 1]
    """
    mesh = faces.template.mesh
    frame = fit_frame(mesh, faces.vertices, size)
    images = np.empty((len(faces), 3, size, size), np.uint8 if bits == 8 else np.float32)
    for start in range(0, len(faces), 512):
        block = frame.to_images(faces.vertices[start : start + 512])
        if bits == 8:
            block = np.round(127.5 * (np.clip(block, -1.0, 1.0) + 1.0))
        images[start : start + 512] = block
    mean = mesh.replace(vertices=frame.template.vertices, unit="mm")
    template = dataclasses.replace(faces.template, mesh=mean)
    return TrainingImages(frame, images, faces.labels, faces.classes, template)


class FactoredGeometryGan(PhasedTask):
    """The factored geometry GAN.

    D: L_adv + 0.1 sum_f CE_f(real, labelled) + penalty
    G: L_adv + CE_f(labelled factor) + 0.5 sum F_g(the others) + 1e-4 TV

    Parameters
    ----------
    settings : networks, losses, training
    data : geometry images with labels
    source : where they come from, for the checkpoint's config, see `FaceSource.record`

    Source
    ------
    Abrevaya et al. 2019, section 4. Departures: images of deviation 1 inside of the networks, an
    own batch for a classifier whose labels are rare, turns counted by the generator's steps.
    """

    def __init__(
        self,
        settings: FactoredSettings,
        data: TrainingImages,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        self.settings, self.data = settings, data
        factors = tuple(
            dataclasses.replace(factor, classes=data.classes[factor.name])
            for factor in settings.factors
        )
        self.spec = spec = LatentSpec(factors, settings.noise)
        columns = {factor.name: data.labels[factor.name] for factor in factors}
        names = {factor.name: factor.classes for factor in factors}
        faces = LabelledImages({"images": data.images, **columns}, names)
        scale = image_deviation(faces.batch(torch.arange(min(len(faces), 4096)))["images"])
        self._gain = 1.0 / scale
        stored, template = store_template(data.template)
        self._class_weights: dict[str, torch.Tensor | None] = {}
        streams = [Stream("faces", faces, settings.batch)]
        for factor in factors:
            labels = torch.from_numpy(np.array(columns[factor.name]))
            self._class_weights[factor.name] = class_weights(labels, len(factor.classes))
            rare = settings.class_samples and float((labels >= 0).double().mean()) < 0.5
            if factor.classified and rare:
                classes = min(len(factor.classes), CLASSES_A_BATCH)
                name, samples = f"labelled/{factor.name}", settings.class_samples
                order = class_batches(labels, classes, samples, seed=settings.seed, name=name)
                streams.append(Stream(name, faces, classes * samples, order=order))
                self._class_weights[factor.name] = None
        self._own_batch = {stream.name.removeprefix("labelled/") for stream in streams[1:]}
        every = settings.discriminator_steps
        adam = settings.adam
        super().__init__(
            seed=settings.seed,
            build=functools.partial(build_networks, settings, spec, scale, stored),
            phases=(
                Phase(
                    "discriminator",
                    ("discriminator",),
                    self._real_and_fake,
                    self._d_loss,
                    adam(settings.discriminator_lr),
                ),
                Phase(
                    "generator",
                    ("generator",),
                    self._codes,
                    self._g_loss,
                    adam(settings.generator_lr),
                    every=every,
                    offset=every - 1,
                ),
            ),
            streams=streams,
            generators=("codes", "discriminator codes", "penalty"),
            ema={"generator": settings.ema},
            horizon=settings.horizon,
            compute=settings.compute,
            eager=("discriminator",),
            config={
                "networks": settings.networks,
                "factors": spec.factors,
                "noise": spec.noise,
                "deviation": scale,
                "limit": data.frame.limit,
                "alpha": settings.alpha,
                "held_out": settings.held_out,
                "seed": settings.seed,
                "template": template,
                "data": dict(source or {}),
            },
        )
        self._fixed = self.networks["codes"].tables()  # type: ignore[operator]

    @torch.no_grad()
    def samples(self) -> torch.Tensor:
        """Faces of the averaged generator, rendered: rows are people, columns classes."""
        last = self.spec.factors[-1]
        columns = min(max(len(last.classes), 1), COLUMNS)
        codes = self.fixed("samples", PEOPLE).normal(self.spec.size).repeat_interleave(columns, 0)
        if last.classes:
            codes[:, self.spec.span(last.name)] = self._fixed[last.name][:columns].repeat(PEOPLE, 1)
        images = self.networks["generator_ema"](codes).float().cpu().numpy()
        frame = self.data.frame
        faces = frame.to_vertices(images, self.settings.alpha)
        pictures = face_pictures(frame.template, faces, size=PIXELS)
        sheet = torch.from_numpy(contact_sheet(pictures, columns, gap=2))
        return 2.0 * sheet.permute(2, 0, 1)[None] - 1.0

    def _draw(self, name: str) -> CodeBatch:
        use, draws = self.settings, self.draws(name, self.settings.batch)
        if use.classify_fakes or not use.alternate:
            paired = not use.classify_fakes
            return labelled_batch(self.spec, self._fixed, draws, paired=paired)
        # Counted in the generator's turns: with 3 to 1, steps would label the same one at each.
        turn = self.steps // use.discriminator_steps
        return alternate_batch(self.spec, self._fixed, draws, turn)

    def _generate(self, batch: CodeBatch) -> torch.Tensor:
        with self.autocast():
            return self.networks["generator"](batch.codes).to(batch.codes.dtype)

    def _real_and_fake(self) -> tuple[Batch, CodeBatch, torch.Tensor]:
        batch = self._draw("discriminator codes")
        with torch.no_grad():
            return self.batch("faces"), batch, self._generate(batch)

    def _judge(self, network: Callable[..., Heads], images: torch.Tensor, **wanted: Any) -> Heads:
        with self.autocast():
            return network(images, **wanted)

    def _d_loss(
        self, context: tuple[Batch, CodeBatch, torch.Tensor]
    ) -> tuple[torch.Tensor, Metrics]:
        faces, batch, fake = context
        use, network = self.settings, self.networks["discriminator"]
        real, fake = self._gain * faces["images"], self._gain * fake
        classified = [item.name for item in self.spec.factors if item.classified]
        plain = [name for name in classified if name not in self._own_batch]
        heads: list[Heads] = []

        def score(images: torch.Tensor) -> torch.Tensor:
            # The reals come first and the fakes second; what follows are penalties.
            wanted = {0: plain, 1: classified if use.classify_fakes else []}.get(len(heads), [])
            heads.append(self._judge(network, images, factors=wanted))
            return heads[-1].score  # type: ignore[return-value]

        mix = None
        if use.adversarial.loss == "wgan-gp":
            mix = self.draws("penalty", use.batch).uniform()
        loss, told = d_loss(use.adversarial, score, real, fake, mix=mix, step=self.steps)
        metrics = dict(told)
        for name in classified:
            logits, labels = heads[0].logits.get(name), faces[name]
            if name in self._own_batch:
                own = self.batch(f"labelled/{name}")
                images = self._gain * own["images"]
                seen = self._judge(network, images, factors=[name], score=False)
                logits, labels = seen.logits[name], own[name]
            weights = self._class_weights[name]
            weights = None if weights is None else weights.to(labels.device)
            entropy = label_loss(logits, labels, weights)  # type: ignore[arg-type]
            metrics[f"real/{name}"] = entropy
            if use.classify_fakes:
                entropy = entropy + label_loss(heads[1].logits[name], batch.labels[name])
            loss = loss + use.weights.real_classes * entropy
        return loss, metrics

    def _codes(self) -> CodeBatch:
        return self._draw("codes")

    def _g_loss(self, batch: CodeBatch) -> tuple[torch.Tensor, Metrics]:
        use, weights = self.settings, self.settings.weights
        images = self._generate(batch)
        wanted = [
            factor.name
            for factor in self.spec.factors
            if factor.classified
            and (factor.name in batch.labels or (factor.name in batch.pairs and weights.features))
        ]
        network = frozen(self.networks["discriminator"])
        heads = self._judge(network, self._gain * images, factors=wanted)
        loss = g_loss(use.adversarial, lambda _: heads.score, images)  # type: ignore[arg-type,return-value]
        variation = total_variation(images)
        metrics = {"loss/generator": loss, "variation": variation}
        loss = loss + weights.variation * variation
        for name, labels in batch.labels.items():
            metrics[f"fake/{name}"] = entropy = label_loss(heads.logits[name], labels)
            loss = loss + weights.classes * entropy
        for name, pairs in batch.pairs.items():
            if name in heads.features:
                metrics[f"features/{name}"] = gap = feature_loss(heads.features[name], pairs)
                loss = loss + weights.features * gap
        return loss, metrics


def build_networks(
    settings: FactoredSettings, spec: LatentSpec, scale: float, stored: StoredTemplate
) -> dict[str, torch.nn.Module]:
    """Return new networks by name, and the buffers that a checkpoint keeps."""
    return {
        "generator": GeometryGenerator(settings.networks, spec.size, scale),
        "discriminator": FactoredDiscriminator(settings.networks, spec.factors),
        "codes": FixedCodes(spec.factors),
        "template": stored,
    }


def train_factored(
    settings: FactoredSettings,
    faces: LabelledFaces,
    out: Path | str,
    *,
    source: FaceSource | None = None,
    resume: Resume = "auto",
    init_from: Path | str | None = None,
    record: Mapping[str, Any] | None = None,
    on_log: Callable[[dict[str, float]], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train a factored geometry GAN into a run directory, or go on with one.

    Parameters
    ----------
    settings : from `recipe`, or your own
    faces : registered and labelled; the settings' held-out share of the people is set aside
    out : the run directory
    source : where the faces come from, so that an evaluation finds them again
    resume : "never", "auto" or "must"
    init_from : checkpoint whose networks a new run begins with
    record : further entries for run.json, such as versions
    on_log, on_progress : as for `learning.loop.train`

    Returns
    -------
    How it ended, and the checkpoint.

    Raises
    ------
    GeomfaceError : bad data, settings or data that differ on resume, NaN, a full disk; nothing is
        lost
    """
    data = prepare_images(settings, faces)
    return run_training(
        lambda: FactoredGeometryGan(settings, data, source and source.record()),
        out,
        settings,
        system=SYSTEM,
        inputs=source and source.inputs,
        resume=resume,
        init_from=init_from,
        record=record,
        on_log=on_log,
        on_progress=on_progress,
    )


def prepare_images(settings: FactoredSettings, faces: LabelledFaces) -> TrainingImages:
    """Return the images that a training with these settings is shown."""
    names = [factor.name for factor in settings.factors if factor.classified]
    training, _ = split_faces(faces, settings.held_out, factor=settings.factors[0].name)
    check_labels(training, names)
    return training_images(training, settings.networks.size, bits=settings.bits)
