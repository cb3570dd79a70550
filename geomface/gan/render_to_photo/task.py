"""The translation between renders and photographs as a task for the training loop."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import cast

import torch

from geomface.gan.render_to_photo.data import TranslationData, mirror_some
from geomface.gan.render_to_photo.losses import (
    balance_measure,
    input_loss,
    picture_errors,
    reconstruction_errors,
)
from geomface.gan.render_to_photo.networks import Autoencoder, Translator
from geomface.gan.render_to_photo.settings import TranslationSettings
from geomface.learning import (
    Batch,
    BeganBalance,
    DatasetError,
    Metrics,
    Phase,
    PhasedTask,
    SetMemory,
    Stream,
    cycle,
    scale_gradient,
)
from geomface.recognition.embedder.embedder_module import EmbedderModule
from geomface.recognition.embedder.face_embedder import FaceEmbedder

SHOWN = 6
"""Renders on a sheet of samples, each with its translation and its way back."""
GAMES = ("photographs", "renders", "pairs")


@dataclasses.dataclass(frozen=True, eq=False)
class Made:
    """What one forward makes, for both phases.

    Parameters
    ----------
    renders : the batch x
    translated : G(x)
    real, fake : {game: mean error} of what is real and of what is made; that of the pairs is 0
        where there are none, and its fake one is the cycle's
    balances : {game: k} before the step
    """

    renders: Batch
    translated: torch.Tensor
    real: Mapping[str, torch.Tensor]
    fake: Mapping[str, torch.Tensor]
    balances: Mapping[str, torch.Tensor]


class RenderToPhoto(PhasedTask):
    """Two translators, two autoencoders that judge them, and a game of pairs.

    G:   L_G + 0.5 L_cyc + 0.001 L_C + 0.1 L_id      G':  L_G' + 0.5 L_cyc + 0.5 (L_P - k_P L_cyc)
    D_R: L_R - k_R L_G                               D_S: L_S - k_S L_G'

    with L_G = |G(x) - D_R(G(x))|, L_R = |r - D_R(r)|, L_cyc = |G'(G(x)) - x|, L_G' and L_S alike
    for G'(G(x)) and x, and L_P = |s - G'(r)| over pairs. All step at once, from one forward. A game
    is one phase: its judge takes -k times the player's gradient on the same way back.

    Parameters
    ----------
    settings : see `TranslationSettings`
    data : the three streams
    embedder : C, frozen; None leaves L_C out

    Raises
    ------
    DatasetError : pictures of another size than the networks', an embedder without people or a loss
        of pairs without pairs, renders that do not show where the face is

    Source
    ------
    Gecer et al. 2018, Sec. 3, with k moved by the errors themselves and the right sign in L_C.
    """

    def __init__(
        self,
        settings: TranslationSettings,
        data: TranslationData,
        embedder: FaceEmbedder | None = None,
    ) -> None:
        self.settings, self.data = settings, data
        use, weights = settings, settings.weights
        require_data(settings, data, embedder)
        self._knows = embedder is not None and weights.identity > 0
        self._paired = data.pairs is not None and (weights.pairs + weights.reconstruction) > 0
        mirror = functools.partial(mirror_some, share=use.mirror)
        shown = {"renders": data.renders, "photographs": data.photographs}
        if self._paired and data.pairs is not None:
            shown["pairs"] = data.pairs
        super().__init__(
            seed=use.seed,
            build=lambda: build_networks(settings, data, embedder if self._knows else None),
            streams=[
                Stream(name, rows, use.batch, augment=mirror, prefetch=True)
                for name, rows in shown.items()
            ],
            phases=(
                self._game("photographs", "generator", self._photographs_loss),
                self._game("renders", "inverse", self._renders_loss),
            ),
            generators=("view",),
            ema=dict.fromkeys(("generator", "inverse", "photographs_discriminator"), use.ema),
            horizon=use.horizon,
            compute=use.compute,
            config={
                "networks": use.networks,
                "alignment": data.alignment.id,
                "people": data.people,
                "embedder": None
                if embedder is None or not self._knows
                else {"network": embedder.network.settings, "alignment": embedder.alignment.id},
            },
        )

    def _game(
        self, name: str, player: str, loss: Callable[[Made], tuple[torch.Tensor, Metrics]]
    ) -> Phase:
        networks, adam = (player, f"{name}_discriminator"), self.settings.adam()
        return Phase(name, networks, self._translate, loss, adam, group="translate")

    def _translate(self) -> Made:
        """Make all that the losses are about; then move the balances."""
        nets, renders = self.networks, self.batch("renders")
        photographs, images = self.batch("photographs")["images"], renders["images"]
        balances = {game: self._balance(game).k.to(images.dtype, copy=True) for game in GAMES}
        with self.autocast():
            translated, back = cycle(nets["generator"], nets["inverse"], images)
            judged = {}
            for game, real, fake in (
                ("photographs", photographs, translated),
                ("renders", images, back),
            ):
                judge = nets[f"{game}_discriminator"]
                opponent = scale_gradient(judge, -balances[game])
                judged[game] = [
                    reconstruction_errors(judge, real),
                    reconstruction_errors(opponent, fake),
                ]
            returned = picture_errors(back, images)
            judged["pairs"] = [torch.zeros_like(returned), returned]
            if self._paired and self.settings.weights.pairs:
                pairs = self.batch("pairs")
                fitted = nets["inverse"](pairs["photographs"])
                judged["pairs"][0] = picture_errors(fitted, pairs["renders"])
                self._balance("pairs").update(judged["pairs"][0].detach(), returned.detach())
        for game in ("photographs", "renders"):
            self._balance(game).update(*(item.detach() for item in judged[game]))
        real, fake = ({game: item[k].mean() for game, item in judged.items()} for k in (0, 1))
        return Made(renders, translated, real, fake, balances)

    def _photographs_loss(self, made: Made) -> tuple[torch.Tensor, Metrics]:
        """Return what G and D_R minimise; D_R's part of the first term is reversed on its way."""
        use, weights = self.settings, self.settings.weights
        mask = made.renders["masks"] if use.masked and weights.input else None
        near = input_loss(made.renders["images"], made.translated, mask)
        loss = made.fake["photographs"] + made.real["photographs"]
        loss = loss + weights.cycle * made.fake["pairs"] + weights.input * near
        metrics = self._told(made, "photographs") | {"input": near, "cycle": made.fake["pairs"]}
        if self._knows:
            metrics["identity"] = identity = self._identity_loss(made)
            loss = loss + weights.identity * identity
        if self._paired and weights.reconstruction:
            pairs = self.batch("pairs")
            with self.autocast():
                shown = self.networks["generator"](pairs["renders"])
            metrics["reconstruction"] = gap = picture_errors(shown, pairs["photographs"]).mean()
            loss = loss + weights.reconstruction * gap
        return loss, metrics

    def _renders_loss(self, made: Made) -> tuple[torch.Tensor, Metrics]:
        """Return what G' and D_S minimise; G' is also the judge of the pairs."""
        weights = self.settings.weights
        loss = made.fake["renders"] + made.real["renders"] + weights.cycle * made.fake["pairs"]
        metrics = self._told(made, "renders")
        if self._paired and weights.pairs:
            game = made.real["pairs"] - made.balances["pairs"] * made.fake["pairs"]
            loss = loss + weights.pairs * game
            metrics |= self._told(made, "pairs")
        return loss, metrics

    def _told(self, made: Made, game: str) -> dict[str, torch.Tensor]:
        real, fake = made.real[game].detach(), made.fake[game].detach()
        return {
            f"real/{game}": real,
            f"fake/{game}": fake,
            f"balance/{game}": self._balance(game).k.clone(),
            f"measure/{game}": balance_measure(real, fake, self.settings.gamma),
        }

    def _identity_loss(self, made: Made) -> torch.Tensor:
        """Return the loss of identity of what the embedder sees; the centroids then move."""
        use, labels = self.settings, made.renders["labels"]
        memory = cast(SetMemory, self.networks["people"])
        draws = self.draws("view", use.batch)
        shift, mirrored = use.view_shift * (2.0 * draws.uniform(2) - 1.0), draws.uniform() < 0.5
        with self.autocast():
            embeddings = self.networks["embedder"](made.translated, shift, mirrored)
        loss = memory.loss(embeddings, labels)
        memory.update(embeddings, labels)
        return loss

    def _balance(self, game: str) -> BeganBalance:
        return cast(BeganBalance, self.networks[f"{game}_balance"])

    @torch.no_grad()
    def samples(self) -> torch.Tensor:
        """One sheet: renders, below them their translations and these led back, by the averages."""
        images = self.data.renders.batch(_spread(len(self.data.renders), SHOWN))["images"]
        images = self._place(images)
        generator = cast(Translator, self.networks["generator_ema"])
        shape = generator.noise_shape(images.shape[-1])
        noise = self.fixed("samples", len(images)).uniform(*shape)
        translated = generator(images, noise.to(images.dtype))
        back = self.networks["inverse_ema"](translated)
        rows = [torch.cat(list(row), dim=2) for row in (images, translated, back)]
        return torch.cat(rows, dim=1)[None]

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return the errors of both ways on the pairs held out, mean |G(s) - r| and |G'(r) - s|."""
        if self.data.held_out is None:
            return {}
        rows = len(self.data.held_out)
        found = {"held_out/photographs": 0.0, "held_out/renders": 0.0}
        for part in torch.arange(rows).split(self.settings.batch):
            pairs = {k: self._place(v) for k, v in self.data.held_out.batch(part).items()}
            shown = self.networks["generator_ema"](pairs["renders"])
            fitted = self.networks["inverse_ema"](pairs["photographs"])
            for name, made in (("photographs", shown), ("renders", fitted)):
                found[f"held_out/{name}"] += float(picture_errors(made, pairs[name]).sum())
        return {name: value / rows for name, value in found.items()}


def build_networks(
    settings: TranslationSettings, data: TranslationData, embedder: FaceEmbedder | None
) -> dict[str, torch.nn.Module]:
    """Return new networks by name, the balances of the games, and the memory of the people."""
    sizes = settings.networks
    built: dict[str, torch.nn.Module] = {
        "generator": Translator(sizes),
        "inverse": Translator(sizes, inverse=True),
        "photographs_discriminator": Autoencoder(sizes),
        "renders_discriminator": Autoencoder(sizes),
    }
    for game in GAMES:
        built[f"{game}_balance"] = BeganBalance(settings.gamma, settings.balance_rate)
    if embedder is not None:
        built["embedder"] = EmbedderModule(embedder, data.alignment)
        size, power = embedder.network.descriptor_size, settings.variance_power
        built["people"] = SetMemory(data.people, size, variance_power=power)
    return built


def require_data(
    settings: TranslationSettings, data: TranslationData, embedder: FaceEmbedder | None
) -> None:
    """Raise `DatasetError` where the data lack what a training with these settings needs."""
    size, weights = settings.networks.size, settings.weights
    if data.alignment.height != size:
        raise DatasetError(
            f"translation: expected pictures of {size} pixels as the networks', got "
            f"{data.alignment.size}. Align them with --size {size}x{size}, or give that size."
        )
    if embedder is not None and weights.identity and data.people < 2:
        raise DatasetError(
            f"renders: expected two people or more, whom the loss of identity keeps apart, got "
            f"{data.people}. Label them, or leave the embedder out."
        )
    if data.pairs is None and weights.pairs + weights.reconstruction:
        raise DatasetError(
            "pairs: expected some, got none. Give pairs of renders and photographs, or an arm "
            "without them."
        )
    first = data.renders.batch(torch.zeros(1, dtype=torch.int64))
    if settings.masked and weights.input and "masks" not in first:
        raise DatasetError(
            "renders: expected masks that show where the face is, got none. Align a set that has "
            "the output alpha, with --masks."
        )


def _spread(count: int, wanted: int) -> torch.Tensor:
    """Return numbers of samples from all over a set."""
    return torch.linspace(0, count - 1, min(wanted, count)).round().long()
