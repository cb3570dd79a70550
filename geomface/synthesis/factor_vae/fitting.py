"""Fits VAEs to the factors of a population."""

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.learning.errors import DatasetError, DivergenceError
from geomface.learning.optimizers import OptimizerSettings, Schedule, make_optimizer, set_rates
from geomface.learning.randomness import batch_indices, seeded_initialisation, stream_generator
from geomface.synthesis.factor_vae.factor_vae import LAYERS, FactorDecoder, FactorVaes
from geomface.synthesis.factor_vae.settings import FACTORS, FactorVaeSettings, VaeSize
from geomface.synthesis.streams import stream
from geomface.threads import one_torch_thread

LEAST_ROWS = 20
WIDTHS = {"light": 27, "pose": 3}
"""Numbers a row of factors that are the same for all face models."""
_LARGEST = 1e100
_HELD_OUT = 0.1
_LOOKS = 40
"""How often held-out rows are looked at in a training, and at most."""
_CODES = 4096
"""Codes of which mean and spread of what a decoder gives are told."""
_DRAWS = 64
"""Codes a row of which its likelihood is estimated."""
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def fit_factor_vaes(
    population: Mapping[str, FloatArray],
    settings: FactorVaeSettings | None = None,
    *,
    seed: int = 0,
    topology_id: str | None = None,
    about: Mapping[str, Any] | None = None,
    on_progress: Callable[[str, float], None] | None = None,
) -> FactorVaes:
    """Fit one VAE to each factor of a population.

    min KL(q(z|x) || N(0, I)) + sum_d 0.5 ((x_d - d(z)_d) / gamma)^2 + log gamma + 0.919

    x are standardised coefficients and gamma is learned, so that the loss is negative where a
    factor is well known (log gamma < 0). A tenth of the rows is held out; the weights kept are
    those of the epoch with the least loss on them. What is drawn is then shifted and scaled, number
    by number, to the mean and spread of the population, of which codes of N(0, I) miss a little.

    Parameters
    ----------
    population : {factor: (N, D)}, of one factor of `FACTORS` or more
    settings : sizes and training, default the recipe "tiny"
    seed : of weights, orders and codes; the same seed gives the same bytes
    topology_id : of the face model
    about : what else the card tells of the population
    on_progress : called with the factor and the share of its training that is done

    Raises
    ------
    SettingsError : no factor, or an unknown one
    DatasetError : rows that are no table, too few, of a wrong length, or not finite
    DivergenceError : a rate too high for these numbers

    Source
    ------
    Deng et al. 2020, DiscoFaceGAN: VAEs of the coefficients that a fit found in photographs.
    """
    from geomface.synthesis.factor_vae.settings import factor_vae_recipe

    settings = factor_vae_recipe() if settings is None else settings
    decoders, figures = {}, {}
    for name, values in require_tables(population).items():

        def step(share: float, name: str = name) -> None:
            if on_progress is not None:
                on_progress(name, share)

        with one_torch_thread():
            decoders[name], figures[name] = _fit(name, values, settings, seed, step)
    card = {**(about or {}), "seed": seed, "settings": settings, "factors": figures}
    return FactorVaes(decoders, topology_id, card)


def require_tables(population: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the tables of a population that VAEs can be fitted to, float64, in their usual order.

    Raises
    ------
    SettingsError : no factor, or an unknown one
    DatasetError : rows that are no table, too few, of a wrong length, or not finite
    """
    unknown = [name for name in population if name not in FACTORS]
    if unknown or not population:
        raise SettingsError(
            f"vae: expected some of {', '.join(FACTORS)}, got {', '.join(unknown) or 'none'}."
        )
    return {name: _table(name, population[name]) for name in FACTORS if name in population}


def _table(name: str, values: FloatArray) -> FloatArray:
    table = np.asarray(values)
    if table.ndim != 2 or table.dtype.kind not in "fiu" or not table.shape[1]:
        raise DatasetError(
            f"{name}: expected rows of numbers (N, D), got {table.dtype} of shape {table.shape}."
        )
    if not np.isfinite(table).all():
        wrong = int((~np.isfinite(table).all(axis=1)).sum())
        raise DatasetError(
            f"{name}: expected finite numbers, got NaN or infinity in {wrong} of {len(table)} "
            "rows. Remove them."
        )
    if table.shape[1] != WIDTHS.get(name, table.shape[1]):
        raise DatasetError(
            f"{name}: expected {WIDTHS[name]} numbers a row, got {table.shape[1]}. 'geomface synth "
            "factors' writes them so."
        )
    if np.abs(table).max(initial=0) > _LARGEST:
        raise DatasetError(
            f"{name}: expected coefficients, got numbers up to {np.abs(table).max():.3g}, whose "
            "spread cannot be told."
        )
    if len(table) < LEAST_ROWS:
        raise DatasetError(
            f"{name}: expected {LEAST_ROWS} rows or more to fit a VAE to, got {len(table)}. Gather "
            "more, or draw the rows themselves: empirical(FILE.npy)."
        )
    return table.astype(np.float64)


def _fit(
    name: str,
    rows: FloatArray,
    settings: FactorVaeSettings,
    seed: int,
    on_epoch: Callable[[float], None],
) -> tuple[FactorDecoder, dict[str, Any]]:
    """Return the decoder of a factor and what is told of it."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    # What never differs but for rounding has no scale to be measured in.
    scale = np.where(scale > 1e-9 * np.maximum(np.abs(mean), 1e-3), scale, 0.0)
    varied = scale > 0
    figures: dict[str, Any] = {"rows": len(rows), "numbers": len(mean)}
    figures["never_differ"] = int((~varied).sum())
    if not varied.any():
        return FactorDecoder(mean, scale, 0.0, ()), figures
    x = torch.from_numpy(((rows[:, varied] - mean[varied]) / scale[varied]).astype(np.float32))
    order = torch.from_numpy(stream(seed, f"vae/{name}/held out").permutation(len(x)))
    aside = max(round(_HELD_OUT * len(x)), 4)
    held, seen = x[order[:aside]], x[order[aside:]]
    with seeded_initialisation(seed, f"vae/{name}"):
        vae = _Vae(x.shape[1], getattr(settings, name))
    vae, epoch = _train(vae, seen, held, settings, seed, name, on_epoch)
    gamma = float(vae.log_gamma.detach().double().exp())
    layers = tuple(
        (layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy())
        for layer in vae.decoder
        if isinstance(layer, torch.nn.Linear)
    )
    with torch.no_grad():
        codes = torch.randn(
            _CODES, getattr(settings, name).latent, generator=stream_generator(seed, f"vae/{name}")
        )
        decoded = vae.decoder(codes).double()
        alone = -(0.5 * held.double().square() + _HALF_LOG_2PI).mean()
        told = _likelihood(vae, held, stream_generator(seed, f"vae/{name}/likelihood"))
    figures |= {
        "held_out": len(held),
        "epoch": epoch,
        "gamma": gamma,
        "log_likelihood": told / x.shape[1],
        "log_likelihood_of_bells": float(alone),
    }
    middle, spread = decoded.mean(dim=0).numpy(), decoded.var(dim=0).add(gamma**2).sqrt().numpy()
    figures["spread_set_right"] = [float(spread.min()), float(spread.max())]
    scale[varied] /= spread
    mean[varied] -= scale[varied] * middle
    return FactorDecoder(mean, scale, gamma, layers), figures


class _Vae(torch.nn.Module):
    """Encoder, decoder, and how far the decoder is from what it is shown."""

    def __init__(self, width: int, size: VaeSize) -> None:
        super().__init__()
        self.encoder = _network(width, size.hidden, 2 * size.latent)
        self.decoder = _network(size.latent, size.hidden, width)
        self.log_gamma = torch.nn.Parameter(torch.zeros(()))

    def code(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return means and logarithms of the standard deviations of q(z|x)."""
        middle, log_sigma = self.encoder(x).chunk(2, dim=1)
        return middle, log_sigma

    def likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Return log p(x|z) of rows."""
        away = (x - self.decoder(z)) * torch.exp(-self.log_gamma)
        return -(0.5 * away.square() + self.log_gamma + _HALF_LOG_2PI).sum(dim=-1)

    def loss(self, x: torch.Tensor, noise: torch.Tensor, kl_weight: float = 1.0) -> torch.Tensor:
        """Return the mean over rows of KL and negative log likelihood; noise is like the codes."""
        middle, log_sigma = self.code(x)
        z = middle + log_sigma.exp() * noise
        kl = 0.5 * (middle.square() + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
        return (kl_weight * kl - self.likelihood(x, z)).mean()


def _network(inputs: int, hidden: int, outputs: int) -> torch.nn.Sequential:
    sizes = [inputs, *[hidden] * (LAYERS - 1), outputs]
    layers: list[torch.nn.Module] = []
    for one, two in zip(sizes, sizes[1:], strict=False):
        layers += [torch.nn.Linear(one, two), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def _train(
    vae: _Vae,
    seen: torch.Tensor,
    held: torch.Tensor,
    settings: FactorVaeSettings,
    seed: int,
    name: str,
    on_epoch: Callable[[float], None],
) -> tuple[_Vae, int]:
    """Return the VAE of the epoch that knows held-out rows best, and that epoch."""
    epochs, latent = settings.epochs_of(len(seen)), getattr(settings, name).latent
    halves = tuple(np.arange(settings.halve_every, 1, settings.halve_every).tolist())
    chosen = OptimizerSettings(
        lr=settings.lr, schedule=Schedule("steps", milestones=halves, factor=0.5)
    )
    optimizer = make_optimizer(chosen, dict(vae.named_parameters()))
    draws = stream_generator(seed, f"vae/{name}/codes")
    # The same codes at every look, so that looks differ by the weights alone.
    look = torch.randn(16, len(held), latent, generator=stream_generator(seed, f"vae/{name}/look"))
    batch = min(settings.batch, len(seen))
    steps, every = math.ceil(len(seen) / batch), max(epochs // _LOOKS, 1)
    best, kept, at = math.inf, copy.deepcopy(vae), 0
    for epoch in range(1, epochs + 1):
        share = (epoch - 1) / epochs
        set_rates(optimizer, chosen, share)
        kl_weight = 1.0 if share >= settings.kl_rise else share / settings.kl_rise
        for step in range(steps):
            done = ((epoch - 1) * steps + step) * batch
            x = seen[batch_indices(seed, len(seen), done, batch, f"vae/{name}")]
            loss = vae.loss(x, torch.randn(len(x), latent, generator=draws), kl_weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % every == 0 or epoch == epochs:
            with torch.no_grad():
                now = float(torch.stack([vae.loss(held, noise) for noise in look]).mean())
            if not math.isfinite(now):
                raise DivergenceError(
                    f"{name}: the VAE's loss is {now} after {epoch} epochs. Fit it with a lower "
                    f"rate than {settings.lr:g}."
                )
            if now < best:
                best, kept, at = now, copy.deepcopy(vae), epoch
            elif epoch - at >= settings.patience * epochs:
                break
        on_epoch(epoch / epochs)
    on_epoch(1.0)
    return kept, at


def _likelihood(vae: _Vae, x: torch.Tensor, draws: torch.Generator) -> float:
    """Return the mean log p(x) of rows, estimated from below with codes of the encoder.

    log p(x) >= E log mean_k p(x|z_k) p(z_k) / q(z_k|x)

    Source
    ------
    Burda et al. 2016, importance weighted autoencoders.
    """
    middle, log_sigma = vae.code(x)
    noise = torch.randn(_DRAWS, *middle.shape, generator=draws)
    z = middle + log_sigma.exp() * noise
    prior = -0.5 * z.square().sum(dim=-1)
    posterior = -(0.5 * noise.square() + log_sigma).sum(dim=-1)
    weights = vae.likelihood(x, z) + prior - posterior
    return float((torch.logsumexp(weights.double(), dim=0) - math.log(_DRAWS)).mean())
