"""An embedder as a task of the training loop: a network and a head, soft targets in every batch."""

import dataclasses
import functools
from typing import cast

import torch

from geomface.learning import Phase, PhasedTask, Stream, System, class_batches
from geomface.learning.stream import Batch
from geomface.metrics import verify_identities
from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.recognition.margins.margin_softmax import (
    MarginHead,
    margin_loss,
    margin_strength,
)
from geomface.recognition.margins.soft_targets import SoftTargets
from geomface.recognition.mixup.domains import blend_domains, domain_ratio
from geomface.recognition.networks.build import build_network
from geomface.recognition.networks.embedder_network import EmbedderNetwork
from geomface.recognition.training.augmentation import augment_faces
from geomface.recognition.training.contrastive import contrastive_loss
from geomface.recognition.training.people import require_people
from geomface.recognition.training.settings import RecognitionSettings

SYSTEM = System("recognition")
_SHOWN, _CHUNK = 32, 128


class RecognitionTask(PhasedTask):
    """Descriptors that tell people apart, learned from synthetic people, real ones, or both.

    L = L_margin(x, t) + w L_contrastive(x, t),  x = psi x_S + (1 - psi) x_R,  t mixed alike

    or, where synthetic people have a softmax of their own, L(x_R, t_R) + v L(x_S, t_S).

    Parameters
    ----------
    settings : see `RecognitionSettings`
    faces : the people to learn from
    real : a few real people beside synthetic ones, who are further classes
    held_out : people whose verification is measured, and who are in neither

    Source
    ------
    Qiu et al. 2021, Sec. 3; domain mixup is Eq. 3, with one psi a batch. Two softmaxes on one
    network, the synthetic one at half weight: Gecer et al. 2018, Sec. 5.3. The contrastive loss is
    our addition.
    """

    def __init__(
        self,
        settings: RecognitionSettings,
        faces: AlignedFaces,
        real: AlignedFaces | None = None,
        held_out: AlignedFaces | None = None,
    ) -> None:
        self.settings, self.held_out = settings, held_out
        self._people = len(faces.people.names)
        self._mixup = settings.domain_mixup
        weight = None if real is None else settings.synthetic_weight
        self._synthetic_weight = weight
        heads = {"head": require_people(faces, real)}
        if weight is not None and real is not None:
            heads = {"head": require_people(faces), "real_head": require_people(real)}
        size = settings.network.descriptor_size
        super().__init__(
            seed=settings.seed,
            build=lambda: {
                "embedder": build_network(settings.network),
                **{name: MarginHead(people, size) for name, people in heads.items()},
            },
            streams=[
                self._stream(name, data)
                for name, data in (("faces", faces), ("real", real))
                if data is not None
            ],
            phases=(
                Phase(
                    "embedder", ("embedder", *heads), self.described, self.loss, settings.optimizer
                ),
            ),
            horizon=settings.steps,
            compute=settings.compute,
            config={
                "network": dataclasses.asdict(settings.network),
                "alignment": faces.alignment.id,
            },
        )

    @property
    def _network(self) -> EmbedderNetwork:
        return cast(EmbedderNetwork, self.networks["embedder"])

    def described(self) -> tuple[torch.Tensor, SoftTargets]:
        """Return the descriptors of a batch, and who is in it."""
        images, targets = self.shown()
        with self.autocast():
            descriptors = self._network(images)  # called whole, as it is compiled
        return descriptors.to(torch.get_default_dtype()), targets

    def shown(self) -> tuple[torch.Tensor, SoftTargets]:
        """Return the pictures of a step and their targets; real ones mixed in, or beside."""
        batch = self.batch("faces")
        images, targets = batch["images"], _targets(batch)
        if "real" not in self._data:
            return images, targets
        real = self.batch("real")
        apart = self._synthetic_weight is not None
        others = _targets(real, first=0 if apart else self._people)
        if self._mixup is None:
            pairs = zip(
                (targets.classes, targets.masses), (others.classes, others.masses), strict=True
            )
            both = SoftTargets(*(torch.cat(pair) for pair in pairs))
            return torch.cat([images, real["images"]]), both
        ratio = domain_ratio(self.seed, self.steps, self._mixup)
        return blend_domains(ratio, (images, targets), (real["images"], others))

    def loss(self, described: tuple[torch.Tensor, SoftTargets]) -> tuple[torch.Tensor, dict]:
        """Return the loss of the whole batch, whatever part of it is seen here."""
        weight = self._synthetic_weight
        if weight is None:
            return self._loss("head", *described)
        # Synthetic pictures come first.
        count = len(self.batch("faces")["classes"])
        losses, told = [], {}
        for name, head, part in (
            ("synthetic", "head", slice(None, count)),
            ("real", "real_head", slice(count, None)),
        ):
            descriptors, targets = described
            own = SoftTargets(targets.classes[part], targets.masses[part])
            loss, metrics = self._loss(head, descriptors[part], own)
            losses.append(loss)
            told |= {f"{name}/{key}": value for key, value in metrics.items()}
        return losses[1] + weight * losses[0], told

    def _loss(
        self, name: str, descriptors: torch.Tensor, targets: SoftTargets
    ) -> tuple[torch.Tensor, dict]:
        """Return the losses of some pictures by the softmax of their people."""
        settings, head = self.settings, cast(MarginHead, self.networks[name])
        strength = margin_strength(settings.margin, self.steps)
        softmax = margin_loss(head(descriptors), targets, settings.margin, strength)
        if not settings.contrastive.weight:
            return softmax, {} if self._synthetic_weight is None else {"margin": softmax}
        everyone = SoftTargets(
            *(self.ranks.gather(item) for item in (targets.classes, targets.masses))
        )
        pairs = contrastive_loss(
            self.ranks.gather(descriptors), everyone, settings.contrastive.temperature
        )
        told = {"margin": softmax, "contrastive": pairs}
        return softmax + settings.contrastive.weight * pairs, told

    def evaluate(self) -> dict[str, float]:
        """Return how well people that are held out are verified: equal error rate and AUC."""
        if self.held_out is None:
            return {}
        network, found = self._network.eval(), []
        with torch.inference_mode():
            for start in range(0, len(self.held_out), _CHUNK):
                rows = torch.arange(start, min(start + _CHUNK, len(self.held_out)))
                pictures = self.held_out.batch(rows)["images"]
                found.append(network(pictures.to(self.device)).cpu())
        network.train()
        people = self.held_out.people.classes[:, 0]
        result = verify_identities(torch.cat(found).double().numpy(), people)
        return {"held_out_eer": result.equal_error, "held_out_auc": result.auc}

    def samples(self) -> torch.Tensor:
        """Return pictures as the network is shown them."""
        data = self._data["faces"]
        count = min(_SHOWN, len(data))
        batch = data.batch(torch.arange(count))
        draws = self.fixed("samples", count)
        return augment_faces(batch, draws, settings=self.settings.augmentation)["images"]

    def _stream(self, name: str, data: AlignedFaces) -> Stream:
        """Return balanced batches of people where pairs count, else one picture after another."""
        settings, order = self.settings, None
        if settings.contrastive.weight:
            samples = settings.contrastive.samples
            first = torch.from_numpy(data.people.classes[:, 0])
            people = min(settings.batch // samples, len(first.unique()))
            order = class_batches(first, people, samples, seed=settings.seed, name=name)
        augment = functools.partial(augment_faces, settings=settings.augmentation)
        return Stream(name, data, settings.batch, order=order, augment=augment, prefetch=True)


def _targets(batch: Batch, first: int = 0) -> SoftTargets:
    """Return the targets of a batch, whose classes are counted from `first`."""
    classes = batch["classes"]
    return SoftTargets(torch.where(classes < 0, classes, classes + first), batch["masses"])
