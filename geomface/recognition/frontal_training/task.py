"""The embedder as a task of the training loop: one network, one phase, people in every batch."""

import functools
from typing import cast

import torch
import torch.nn.functional as F

from geomface.learning import Phase, PhasedTask, Stream, System, class_batches
from geomface.metrics import verify_identities
from geomface.recognition.embedder.network import IdentityNetwork
from geomface.recognition.frontal_training.dataset import IdentitySet, augment_pictures
from geomface.recognition.frontal_training.losses import contrastive_loss
from geomface.recognition.frontal_training.recipe import IdentitySettings

SYSTEM = System("identity-embedder")
_SHOWN, _CHUNK = 32, 128


class IdentityTask(PhasedTask):
    """Descriptors that tell people apart.

    Parameters
    ----------
    settings : see `IdentitySettings`
    data : pictures of the people to learn from
    held_out : pictures of other people, whose verification is measured
    """

    def __init__(
        self, settings: IdentitySettings, data: IdentitySet, held_out: IdentitySet
    ) -> None:
        self.settings, self.held_out = settings, held_out
        order = class_batches(
            data.identities, settings.people, settings.samples, seed=settings.seed, name="people"
        )
        stream = Stream(
            "people",
            data,
            settings.people * settings.samples,
            order=order,
            augment=functools.partial(augment_pictures, grey=settings.grey),
            prefetch=True,
        )
        super().__init__(
            seed=settings.seed,
            build=lambda: {"embedder": IdentityNetwork()},
            streams=(stream,),
            phases=(
                Phase("embedder", ("embedder",), self.described, self.loss, settings.optimizer),
            ),
            horizon=settings.steps,
            compute=settings.compute,
        )

    @property
    def _network(self) -> IdentityNetwork:
        return cast(IdentityNetwork, self.networks["embedder"])

    def described(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the descriptors of a batch, and who is in it."""
        batch = self.batch("people")
        with self.autocast():
            features = self._network.features(batch["pictures"])
        return F.normalize(features.to(torch.get_default_dtype()), dim=1), batch["identities"]

    def loss(self, described: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the contrastive loss of the whole batch, whatever part of it is seen here."""
        descriptors, identities = (self.ranks.gather(item) for item in described)
        return contrastive_loss(descriptors, identities, self.settings.temperature)

    def evaluate(self) -> dict[str, float]:
        """Return how well people that are held out are verified: equal error rate and AUC."""
        network, found = self._network.eval(), []
        with torch.inference_mode():
            for start in range(0, len(self.held_out), _CHUNK):
                rows = torch.arange(start, min(start + _CHUNK, len(self.held_out)))
                pictures = 2.0 * self.held_out.batch(rows)["pictures"] - 1.0
                found.append(network(pictures.to(self.device)).cpu())
        network.train()
        result = verify_identities(
            torch.cat(found).double().numpy(), self.held_out.identities.numpy()
        )
        return {"held_out_eer": result.equal_error, "held_out_auc": result.auc}

    def samples(self) -> torch.Tensor:
        """Return pictures as the network is shown them."""
        count = min(_SHOWN, len(self.held_out))
        pictures = self.held_out.batch(torch.arange(count))
        return augment_pictures(pictures, self.fixed("samples", count), grey=self.settings.grey)[
            "pictures"
        ]
