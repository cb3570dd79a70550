"""Training of the embedder on labelled pictures."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F

from geomface.errors import SettingsError
from geomface.recognition.embedder.network import IdentityNetwork
from geomface.recognition.training.pictures import IdentityPictures


@dataclasses.dataclass(frozen=True)
class IdentityTraining:
    """Settings of the training."""

    steps: int = 800
    """Steps in all."""
    people: int = 64
    """People a step."""
    samples: int = 4
    """Pictures of each of them."""
    learning_rate: float = 2e-3
    """Largest rate; it rises over the first 5 % of the steps and falls as a cosine."""
    weight_decay: float = 1e-3
    """Of AdamW."""
    temperature: float = 0.1
    """What cosines are divided by."""
    grey: float = 0.2
    """Share of pictures shown without colour, so that shape counts as well."""
    bfloat16: bool = False
    """Mixed precision, for a CPU that multiplies bfloat16 itself; not the same weights."""
    seed: int = 0
    """Of weights, order and augmentation."""


def contrastive_loss(
    descriptors: torch.Tensor, identities: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return the supervised contrastive loss of a batch.

    L = mean over i and p in P(i) of -log( e^(z_i . z_p / t) / sum_(a != i) e^(z_i . z_a / t) )

    with P(i) the other pictures of the person in picture i, each i weighing the same

    Parameters
    ----------
    descriptors : (B, D) of length 1
    identities : (B,), each at least twice
    temperature : t

    Source
    ------
    Khosla et al. 2020, Eq. 2.
    """
    itself = torch.eye(len(identities), dtype=torch.bool)
    alike = (identities[:, None] == identities[None]) & ~itself
    logits = (descriptors @ descriptors.T / temperature).masked_fill(itself, -torch.inf)
    shares = torch.log_softmax(logits, dim=1).masked_fill(~alike, 0.0)
    return -(shares.sum(dim=1) / alike.sum(dim=1)).mean()


def train_embedder(
    data: IdentityPictures,
    settings: IdentityTraining,
    *,
    on_progress: Callable[[int, int, float], None] | None = None,
) -> IdentityNetwork:
    """Train a network to tell the people of a set apart.

    Pictures are mirrored, get another background, exposure and noise at random.

    Parameters
    ----------
    data : pictures of many people, equally many of each, in order
    settings : see `IdentityTraining`
    on_progress : called with (step, steps, loss)

    Raises
    ------
    SettingsError : fewer people, or pictures of each, than a step takes
    """
    people = int(data.identities.max(initial=-1)) + 1
    each = len(data) // max(people, 1)
    if people < settings.people or each < settings.samples:
        raise SettingsError(
            f"training: expected at least {settings.people} people with {settings.samples} "
            f"pictures each, got {people} with {each}."
        )
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network = IdentityNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    network.train()
    smooth = math.nan
    for step, who in enumerate(_groups(people, settings, rng)):
        shots = np.stack([rng.permutation(each)[: settings.samples] for _ in who])
        chosen = (who[:, None] * each + shots).ravel()
        share = step / settings.steps
        rate = min(share / 0.05, 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * max(rate, 1e-3)
        with _precision(settings):
            features = network.features(augment(data, chosen, settings, rng))
        found = F.normalize(features.float(), dim=1)
        labels = torch.from_numpy(data.identities[chosen])
        loss = contrastive_loss(found, labels, settings.temperature)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        smooth = loss.item() if math.isnan(smooth) else 0.95 * smooth + 0.05 * loss.item()
        if on_progress is not None and (step + 1) % 20 == 0:
            on_progress(step + 1, settings.steps, smooth)
    return network.eval()


def _groups(
    people: int, settings: IdentityTraining, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield who is in each step: all people once before anybody twice."""
    done = 0
    while done < settings.steps:
        order = rng.permutation(people)
        for start in range(0, people - settings.people + 1, settings.people):
            if done < settings.steps:
                yield order[start : start + settings.people]
            done += 1


def augment(
    data: IdentityPictures, chosen: np.ndarray, settings: IdentityTraining, rng: np.random.Generator
) -> torch.Tensor:
    """Return (B, 3, S, S) in [-1, 1] of some pictures, changed at random as a camera would."""
    count = len(chosen)
    pictures = data.pictures[chosen].astype(np.float32) / 255.0
    cover = data.masks[chosen][:, None].astype(np.float32) / 255.0
    mirrored = rng.random(count) < 0.5
    pictures[mirrored], cover[mirrored] = pictures[mirrored, ..., ::-1], cover[mirrored, ..., ::-1]
    exposure = np.exp(
        rng.normal(0.0, 0.10, (count, 1, 1, 1)) + rng.normal(0, 0.03, (count, 3, 1, 1))
    )
    pictures *= exposure.astype(np.float32)
    plain = rng.random(count) < settings.grey
    pictures[plain] = pictures[plain].mean(axis=1, keepdims=True)
    # Most pictures stay on black, as the renders of meshes are.
    behind = rng.random((count, 3, 1, 1), np.float32) * (rng.random((count, 1, 1, 1)) < 0.25)
    pictures += ((1.0 - cover) * behind).astype(np.float32)
    noise = rng.uniform(0.0, 0.02, (count, 1, 1, 1)).astype(np.float32)
    pictures += noise * rng.standard_normal(pictures.shape, np.float32)
    tensor = torch.from_numpy(2.0 * pictures.clip(0.0, 1.0) - 1.0)
    return tensor.contiguous(memory_format=torch.channels_last)


def _precision(settings: IdentityTraining) -> contextlib.AbstractContextManager[None]:
    if settings.bfloat16:
        return torch.autocast("cpu", torch.bfloat16)  # type: ignore[return-value]
    return contextlib.nullcontext()
