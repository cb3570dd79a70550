"""Settings of synthetic face images."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, get_args

from geomface.errors import SettingsError
from geomface.ranges import NOT_NEGATIVE, SEED, SHARE, require_numbers
from geomface.rendering.differentiable.settings import OUTPUTS
from geomface.synthesis.checks import require_choice, require_range
from geomface.synthesis.distributions import Constant, Distribution, Gaussian, Mixture, Uniform
from geomface.synthesis.grids import grid_size
from geomface.synthesis.mixup_ratios import MixupSettings
from geomface.synthesis.set_sizes import picture_of, pictures_before, require_samples_of

PRESETS = ("plain", "photo")
BACKGROUNDS = ("auto", "black", "grey", "texture")
LightRigName = Literal[
    "auto", "mixed", "room", "flash", "front", "window", "overhead", "key", "back", "lamps"
]
LIGHT_RIGS: tuple[str, ...] = get_args(LightRigName)
WEAR = ("per-person", "per-picture")
VARY = ("all", "none", "expression", "pose", "light")
DEFAULT_OUTPUTS = ("rgb", "landmarks")
LARGEST_COUNT = 10_000_000
# Numbers that options of the command line are checked for as well, under the same names.
# A mix needs people who are none.
IDENTITY_RANGES = {"trait_spread": "(0, 10]", "relief": "[0, 3]", "mix_share": "[0, 0.9]"}
EXPRESSION_RANGES = {"smiles": SHARE}
PHOTO_RANGES = {
    "detail": "[0, 10]",
    "hair": SHARE,
    "occluders": SHARE,
    "glasses": SHARE,
    "jitter": "[0, 10]",
    "beard": SHARE,
    "subsurface": "[0, 3]",
    "lids": SHARE,
    "hats": SHARE,
    "scarves": SHARE,
    "film": SHARE,
    "coarse": SHARE,
    "jpeg": SHARE,
}
LARGEST_BLUR, LARGEST_NOISE, LARGEST_SHARPENING = 50.0, 1.0, 10.0


@dataclasses.dataclass(frozen=True)
class IdentitySettings:
    """Who is in the pictures.

    Parameters
    ----------
    coefficients : of every identity mode, in sigma; rows give whole people
    trait_spread : how much further apart people are along sex, age, weight, width of the head
        and nose than along the other modes; rows are taken as they are
    relief : strength of the bumps and hollows of a person's own that no mode has, see
        `ReliefModel`; 0 draws faces of the model only
    mix_share : share of people who are a mix of two earlier ones, 0 to 0.9
    mix_weight : weight of the first of the two, in [0, 1]
    base : the person whom the others resemble, when `cosine` or `distance` is given
    cosine : cosine between the coefficients of a person and those of the base
    distance : length of the difference of the coefficients to those of the base, in sigma
    mixup : mixes every picture of a person with another person of the set, at such shares of the
        person; see `People.shown`
    mixup_label : "soft" labels such a picture with both and their shares, "person" with the person
    """

    coefficients: Distribution = Gaussian(0.0, 1.2)
    trait_spread: float = 1.6
    relief: float = 1.0
    mix_share: float = 0.0
    mix_weight: Distribution = Uniform(0.2, 0.8)
    base: int = 0
    cosine: Distribution | None = None
    distance: Distribution | None = None
    mixup: MixupSettings | None = None
    mixup_label: Literal["soft", "person"] = "soft"

    def __post_init__(self) -> None:
        require_numbers(self, **IDENTITY_RANGES, base=NOT_NEGATIVE)
        require_range("mix_weight", self.mix_weight, 0.0, 1.0)
        given = [self.mix_share > 0, self.cosine is not None, self.distance is not None]
        if sum(given) > 1:
            raise SettingsError(
                "mix_share, cosine and distance each say how people are related: give one of them."
            )
        if self.mixup is not None and self.mix_share > 0:
            raise SettingsError("mix_share and mixup both mix people: give one of them.")
        require_choice("mixup_label", self.mixup_label, ("soft", "person"))
        if self.cosine is not None:
            require_range("cosine", self.cosine, -1.0, 1.0)
        if self.distance is not None:
            require_range("distance", self.distance, 0.0, None)


@dataclasses.dataclass(frozen=True)
class ExpressionSettings:
    """What the faces do.

    Parameters
    ----------
    kind : "groups" draws few muscles with both sides alike, as in real recordings; "weights" draws
        every expression's weight by itself, clipped to [0, 1]; "neutral" is a still face
    strength : factor of all weights of a picture
    weights : of every expression under "weights"; rows give whole expressions
    gaze : degrees that the eyes turn to the side, and up
    smiles : share of the pictures, under "groups", that show a smile in place of what mouth, jaw
        and cheeks do by chance; see `smiling`
    """

    kind: Literal["groups", "weights", "neutral"] = "groups"
    strength: Distribution = Constant(1.0)
    weights: Distribution = Mixture((Constant(0.0), Uniform(0.0, 0.3)), (0.5, 0.5))
    gaze: Distribution = Gaussian(0.0, 5.0)
    smiles: float = 0.3

    def __post_init__(self) -> None:
        require_choice("expression", self.kind, ("groups", "weights", "neutral"))
        require_numbers(self, **EXPRESSION_RANGES)


@dataclasses.dataclass(frozen=True)
class PoseSettings:
    """How the head is turned, degrees.

    Parameters
    ----------
    yaw, pitch, roll : see `look_rotation` for the signs
    joint : rows of yaw, pitch and roll that are drawn together; instead of the three

    Example
    -------
    >>> import geomface as gf
    >>> frontal = gf.PoseSettings(yaw=gf.Gaussian(0.0, 0.0))
    >>> settings = gf.FaceImageSettings(pose=frontal)
    >>> abs(gf.FaceSampler(settings).parameters(0, 0).yaw)
    0.0
    """

    yaw: Distribution = Gaussian(0.0, 25.0)
    pitch: Distribution = Gaussian(0.0, 8.0)
    roll: Distribution = Gaussian(0.0, 5.0)
    joint: Distribution | None = None


@dataclasses.dataclass(frozen=True)
class LightSettings:
    """One main light from a side and light from all around, as spherical harmonics.

    Parameters
    ----------
    azimuth, elevation : degrees of the main light seen from the face: positive is to the right of
        the picture, and up; the light stays in the room when the head turns
    share : of the main light in all the light, in [0, 0.8]
    intensity : what a white surface that faces the main light shows, in linear light
    warmth : relative surplus of red over blue
    coefficients : rows of 27 numbers, nine for red, green and blue in turn within each order,
        in the axes of the face; instead of all the above
    """

    azimuth: Distribution = Gaussian(0.0, 45.0)
    elevation: Distribution = Gaussian(25.0, 15.0)
    share: Distribution = Uniform(0.25, 0.7)
    intensity: Distribution = Uniform(0.85, 1.2)
    warmth: Distribution = Gaussian(0.0, 0.06)
    coefficients: Distribution | None = None

    def __post_init__(self) -> None:
        require_range("light share", self.share, 0.0, 0.8)
        require_range("light intensity", self.intensity, 0.0, None)


@dataclasses.dataclass(frozen=True)
class CameraSettings:
    """From where and how large the face is seen.

    Parameters
    ----------
    scale : height of the mean face, forehead to chin, as a share of the picture
    distance : from the eye to the face, mm; near ones distort as near ones do
    offset_x, offset_y : shift of the face to the right and down, a share of the picture
    weak : parallel rays
    """

    scale: Distribution = Gaussian(0.68, 0.03)
    distance: Distribution = Uniform(500.0, 1500.0)
    offset_x: Distribution = Gaussian(0.0, 0.02)
    offset_y: Distribution = Gaussian(0.0, 0.02)
    weak: bool = False

    def __post_init__(self) -> None:
        require_range("distance", self.distance, 200.0, None)


@dataclasses.dataclass(frozen=True)
class BackgroundSettings:
    """What lies behind the face.

    Parameters
    ----------
    kind : "black", "grey" of one level, "texture" of random shapes; auto is black for the plain
        preset and texture for photo
    level : brightness in [0, 1]: of the grey, or the middle one of the texture
    """

    kind: Literal["auto", "black", "grey", "texture"] = "auto"
    level: Distribution = Uniform(0.15, 0.85)

    def __post_init__(self) -> None:
        require_choice("background", self.kind, BACKGROUNDS)


@dataclasses.dataclass(frozen=True)
class PhotoSettings:
    """What the photo preset adds to a picture.

    Parameters
    ----------
    detail : strength of pores, wrinkles, blemishes and shine, 1 is natural
    hair : share of people with hair; the others are bald
    occluders : probability of something in front of the face
    glasses : share of people with glasses
    blur : standard deviation of the blur, pixels of a 227 pixel picture, at most 50
    noise : standard deviation of the sensor's noise in middle grey, share of white
    jitter : strength of changes in contrast, colour balance and saturation
    beard : share of people whose beard, if one grows, is seen; the others shave
    light_rig : kind of lamps, one of `LIGHT_RIGS`: "mixed" is any of them; "room" is the light of
        the plain preset with its numbers; auto is room when a number of the light is given
    shadows : lamps throw shadows
    occlusion : hollows get less light from around
    subsurface : how far light spreads under the skin, 1 is natural
    lids : strength of the shade of lids and lashes on the eyes
    hats : share of people with a cap, a hat or a headscarf
    scarves : share of the others with a scarf around the neck
    film : share of pictures on grey film, with its grain and contrast
    coarse : share of pictures of fewer pixels, enlarged
    sharpening : how much of what a small blur takes away a camera adds, at most 10
    jpeg : share of pictures that were kept as a JPEG
    wear : "per-picture" draws glasses, hats, scarves and the colours of clothes for every picture,
        whose shares the above then are, so that nobody is known by them
    haircut : "per-picture" draws the haircut for every picture; who is bald stays so
    """

    detail: float = 1.0
    hair: float = 0.95
    occluders: float = 0.2
    glasses: float = 0.33
    blur: Distribution = Mixture((Uniform(0.2, 0.6), Uniform(0.6, 1.2)), (0.8, 0.2))
    noise: Distribution = Mixture((Uniform(0.002, 0.009), Uniform(0.009, 0.022)), (0.75, 0.25))
    jitter: float = 1.0
    beard: float = 1.0
    light_rig: LightRigName = "auto"
    shadows: bool = True
    occlusion: bool = True
    subsurface: float = 1.0
    lids: float = 1.0
    hats: float = 0.1
    scarves: float = 0.05
    film: float = 0.15
    coarse: float = 0.3
    sharpening: Distribution = Mixture((Uniform(0.0, 0.6), Uniform(0.6, 1.2)), (0.8, 0.2))
    jpeg: float = 0.5
    wear: Literal["per-person", "per-picture"] = "per-person"
    haircut: Literal["per-person", "per-picture"] = "per-person"

    def __post_init__(self) -> None:
        require_choice("wear", self.wear, WEAR)
        require_choice("haircut", self.haircut, WEAR)
        require_choice("light_rig", self.light_rig, LIGHT_RIGS)
        require_numbers(self, **PHOTO_RANGES)
        require_range("blur", self.blur, None, LARGEST_BLUR)
        require_range("noise", self.noise, None, LARGEST_NOISE)
        require_range("sharpening", self.sharpening, 0.0, LARGEST_SHARPENING)


@dataclasses.dataclass(frozen=True)
class FaceImageSettings:
    """A set of pictures: who, how, and what is kept of each.

    Parameters
    ----------
    identities, samples : number of people, and of pictures a person
    size : pixels a side
    seed : of everything random; picture (identity, sample) depends on nothing else than the seed
        and the settings below
    preset : "plain" is a lit face on black; "photo" is the same face with hair, skin detail,
        background, occluders, blur and noise
    outputs : some of `OUTPUTS`; the labels are those of the bare face in both presets
    factors : {factor: levels} for a controlled set: all combinations for every person, instead of
        `samples` random pictures
    others : in a controlled set, what is no factor is drawn once a person ("fixed"), or for every
        picture ("random")
    eyes : draw eyeballs behind the lids
    samples_of : pictures of person 0, 1 and so on, from the first again after the last; instead of
        `samples`, for sets with a long tail; see `long_tail`
    vary : what differs between the pictures of a person besides framing, background, what is in
        front and noise: all, or one of expression, pose and light, or none of the three; the rest
        is that of the person's first picture
    track : frames from one key to the next: the pictures of a person are the frames of one smooth
        movement of pose, expression and gaze, and all else is the person's; see
        `tracks.moment`. 0 draws every picture by itself

    Example
    -------
    >>> import geomface as gf
    >>> turned = gf.PoseSettings(yaw=gf.Gaussian(0.0, 25.0))
    >>> settings = gf.FaceImageSettings(size=64, outputs=("rgb", "depth"), pose=turned)
    >>> sorted(gf.FaceSampler(settings).batch([(0, 0)]).images)
    ['depth', 'rgb']
    """

    identities: int = 1
    samples: int = 1
    size: int = 227
    seed: int = 0
    preset: Literal["plain", "photo"] = "plain"
    outputs: tuple[str, ...] = DEFAULT_OUTPUTS
    factors: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    others: Literal["fixed", "random"] = "fixed"
    eyes: bool = True
    samples_of: tuple[int, ...] = ()
    vary: Literal["all", "none", "expression", "pose", "light"] = "all"
    track: int = 0
    identity: IdentitySettings = IdentitySettings()
    expression: ExpressionSettings = ExpressionSettings()
    pose: PoseSettings = PoseSettings()
    light: LightSettings = LightSettings()
    camera: CameraSettings = CameraSettings()
    background: BackgroundSettings = BackgroundSettings()
    photo: PhotoSettings = PhotoSettings()

    def __post_init__(self) -> None:
        factors = {name: tuple(levels) for name, levels in self.factors.items()}
        object.__setattr__(self, "factors", factors)
        object.__setattr__(self, "outputs", tuple(self.outputs))
        require_numbers(
            self,
            identities=f"[1, {LARGEST_COUNT}]",
            samples=f"[1, {LARGEST_COUNT}]",
            size="[16, 4096]",
            seed=SEED,
            track="[0, 100000]",
        )
        require_choice("preset", self.preset, PRESETS)
        require_choice("vary", self.vary, VARY)
        object.__setattr__(self, "samples_of", tuple(self.samples_of))
        require_samples_of(self.samples_of, alone=self.samples == 1 and not self.factors)
        require_choice("others", self.others, ("fixed", "random"))
        if not self.outputs:
            raise SettingsError(f"outputs: expected at least one of {', '.join(OUTPUTS)}.")
        for name in self.outputs:
            require_choice("outputs", name, OUTPUTS)
        if len(set(self.outputs)) != len(self.outputs):
            raise SettingsError(f"outputs: {', '.join(self.outputs)} names one of them twice.")
        if not grid_size(factors):
            raise SettingsError("factors: expected at least one level of each factor, got none.")
        if self.identity.mixup is not None and self.identities < 2:
            raise SettingsError("mixup: expected two people or more, got a set of one.")
        if self.track and (self.factors or self.identity.mixup is not None):
            other = "factors" if self.factors else "mixup"
            raise SettingsError(f"track and {other} both say what each picture shows: give one.")
        if self.factors and self.samples != 1:
            raise SettingsError(
                f"factors: the grid says how many pictures a person gets "
                f"({grid_size(self.factors)}), so leave out samples (got {self.samples})."
            )

    @property
    def pictures_of(self) -> tuple[int, ...]:
        """Number of pictures of person 0, 1 and so on, from the first again after the last."""
        return self.samples_of or (grid_size(self.factors) if self.factors else self.samples,)

    @property
    def pictures(self) -> int:
        """Number of pictures in all."""
        return pictures_before(self.pictures_of, self.identities)

    def picture(self, number: int) -> tuple[int, int]:
        """Return (identity, sample) of a picture, counted from 0, person after person."""
        return picture_of(self.pictures_of, number)

    @property
    def background_kind(self) -> str:
        """The background with auto resolved."""
        if self.background.kind != "auto":
            return self.background.kind
        return "texture" if self.preset == "photo" else "black"
