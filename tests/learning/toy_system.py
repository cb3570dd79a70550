"""A toy with all that the four papers need together, on the public base only.

Three streams, five networks, simultaneous phases from one forward, a frozen embedder, centroids,
dropout, batch norm, Adam and SGD, a lazy classifier with missing labels.
"""

import dataclasses

import torch
from torch import nn

import geomface.learning as gl

CLASSES, BATCH = 4, 8


@dataclasses.dataclass(frozen=True)
class ToySettings:
    """All that makes a run."""

    adversarial: gl.AdversarialSettings = gl.AdversarialSettings(loss="began")
    adam: gl.OptimizerSettings = gl.OptimizerSettings(lr=1e-3, beta1=0.5, clip=1.0)
    sgd: gl.OptimizerSettings = gl.OptimizerSettings(
        "sgd",
        lr=0.1,
        weight_decay=5e-4,
        schedule=gl.Schedule("steps", warm_up=0.1, milestones=(0.5,)),
        groups=(gl.ParameterGroup("classifier.3.", lr_factor=10.0),),
    )
    loop: gl.LoopSettings = gl.LoopSettings(
        20, log_every=4, sample_every=10, checkpoint_every=5, evaluate_every=10
    )
    compute: gl.ComputeSettings = gl.ComputeSettings("cpu")
    seed: int = 0
    horizon: int = 20


def translator(dropout: float) -> nn.Module:
    """A network from pictures to pictures."""
    layers = [nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Conv2d(6, 3, 3, padding=1), nn.Tanh())


def vectors(outputs: int) -> nn.Module:
    """A network from pictures of 12 x 10 pixels to vectors."""
    return nn.Sequential(nn.Flatten(), nn.Linear(360, 8), nn.ReLU(), nn.Linear(8, outputs))


def drawn_set(seed: int) -> gl.ArraySet:
    """Pictures of 12 x 10 pixels in four classes."""
    images = torch.randint(256, (24, 3, 12, 10), generator=torch.Generator().manual_seed(seed))
    return gl.ArraySet({"images": images.byte(), "labels": torch.arange(24) % CLASSES})


def flip(batch: gl.Batch, draws: gl.Draws) -> gl.Batch:
    """Mirror half of the pictures."""
    mirrored = draws.uniform(1, 1, 1) < 0.5
    return batch | {"images": torch.where(mirrored, batch["images"].flip(3), batch["images"])}


class Toy(gl.PhasedTask):
    """Renders become photographs and come back; whom they show is kept."""

    def __init__(self, settings: ToySettings | None = None) -> None:
        use = self.settings = settings or ToySettings()
        renders, photos, pairs = (drawn_set(seed) for seed in (1, 2, 3))
        photos.columns["labels"][::3] = -1
        seen = renders.columns["labels"]
        by_class = gl.class_batches(seen, CLASSES, 2, seed=use.seed, name="renders")
        super().__init__(
            seed=use.seed,
            build=lambda: {
                "generator": translator(0.2),
                "back": translator(0.0),
                "discriminator": translator(0.0),
                "classifier": vectors(CLASSES),
                "embedder": vectors(5),
                "memory": gl.SetMemory(CLASSES, 5),
                "balance": gl.BeganBalance(gamma=0.9, rate=0.01),
            },
            streams=[
                gl.Stream("renders", renders, BATCH, order=by_class),
                gl.Stream("photos", photos, BATCH, augment=flip, prefetch=True),
                gl.Stream("pairs", pairs, BATCH),
            ],
            phases=[
                self.together("generator", self.generator_loss),
                self.together("back", self.back_loss),
                self.together("discriminator", self.discriminator_loss),
                gl.Phase(
                    "classifier", ("classifier",), self.photos, self.label_loss, use.sgd, every=2
                ),
            ],
            ema={"generator": gl.EmaSettings(0.9, warm_up=True)},
            horizon=use.horizon,
            compute=use.compute,
        )

    def together(self, name, loss) -> gl.Phase:
        return gl.Phase(name, (name,), self.translate, loss, self.settings.adam, group="translate")

    def translate(self) -> dict[str, torch.Tensor]:
        """One forward for three objectives."""
        nets, x = self.networks, self.batch("renders")["images"]
        y = nets["generator"](x)
        return {"x": x, "y": y, "cycle": (nets["back"](y) - x).abs().mean()}

    def generator_loss(self, made) -> torch.Tensor:
        """Realism, cycle and identity."""
        labels, memory = self.batch("renders")["labels"], self.networks["memory"]
        embeddings = self.networks["embedder"](made["y"])
        identity = memory.loss(embeddings, labels)
        memory.update(embeddings, labels)
        adversarial = gl.g_loss(self.settings.adversarial, self.reconstruction, made["y"])
        return adversarial + 0.5 * made["cycle"] + 0.001 * identity

    def back_loss(self, made) -> torch.Tensor:
        """Cycle and pairs."""
        pair = self.batch("pairs")["images"]
        return 0.5 * made["cycle"] + (self.networks["back"](pair) - pair).abs().mean()

    def discriminator_loss(self, made):
        """Photographs against what is made of renders."""
        real, use = self.batch("photos")["images"], self.settings.adversarial
        return gl.d_loss(
            use, self.reconstruction, real, made["y"], balance=self.networks["balance"]
        )

    def photos(self) -> gl.Batch:
        return self.batch("photos")

    def label_loss(self, batch: gl.Batch) -> torch.Tensor:
        return gl.label_loss(self.networks["classifier"](batch["images"]), batch["labels"])

    def reconstruction(self, images: torch.Tensor) -> torch.Tensor:
        return (images - self.networks["discriminator"](images)).abs().mean(dim=(1, 2, 3))

    @torch.no_grad()
    def samples(self):
        """Pictures and a table."""
        drawn = self.networks["generator_ema"](self.fixed("samples", 4).normal(3, 12, 10))
        return {"photos": drawn, "numbers": [{"mean": float(drawn.mean())}]}

    def evaluate(self) -> dict[str, float]:
        """Largest centroid."""
        return {"centroid": float(self.networks["memory"].centroids.norm(dim=1).max())}
