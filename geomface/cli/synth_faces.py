"""`geomface synth faces`: labelled synthetic face images."""

import dataclasses
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tyro

from geomface.cli.batch import execute
from geomface.cli.options import (
    OPTIONAL,
    CommonOptions,
    ExecutorOptions,
    Flag,
    Folder,
    require_options,
)
from geomface.cli.run import Run
from geomface.ranges import COUNT, NOT_NEGATIVE
from geomface.synthesis.distribution_text import format_distribution, parse_distribution
from geomface.synthesis.distributions import Constant
from geomface.synthesis.grids import parse_factors
from geomface.synthesis.mixup_ratios import MixupSettings, parse_ratios
from geomface.synthesis.set_sizes import parse_samples
from geomface.synthesis.settings import (
    DEFAULT_OUTPUTS,
    EXPRESSION_RANGES,
    IDENTITY_RANGES,
    PHOTO_RANGES,
    BackgroundSettings,
    CameraSettings,
    ExpressionSettings,
    FaceImageSettings,
    IdentitySettings,
    LightRigName,
    LightSettings,
    PhotoSettings,
    PoseSettings,
)

ModelFile = Annotated[
    Path | None,
    tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the built-in face)"),
]
Spread = Annotated[str, tyro.conf.arg(metavar="DIST")]
MaybeSpread = Annotated[str | None, tyro.conf.arg(metavar="DIST", help_behavior_hint="(optional)")]
Settings = TypeVar("Settings")
_text = format_distribution


@dataclasses.dataclass(frozen=True)
class IdentityOptions:
    """Who is in the pictures. DIST is such as gaussian(0,1), uniform(-1,1), constant(0),
    empirical(1,2,5), empirical(FILE.npy), vae(FILE) of 'synth vae' or
    mixture(0.7*gaussian(0,1),0.3*uniform(-2,2))."""

    identity: Spread = _text(IdentitySettings.coefficients)
    """Of every identity mode, in sigma; rows of an .npy file give whole people."""
    trait_spread: float = IdentitySettings.trait_spread
    """How much further apart people are along sex, age, weight and widths of head and nose than
    along the other modes; 1 is as the model has it."""
    relief: float = IdentitySettings.relief
    """Strength of bumps and hollows of a person's own that no mode has; 0 draws faces of the model
    only."""
    mix_share: float = IdentitySettings.mix_share
    """Share of people who are a mix of two earlier ones."""
    mix_weight: Spread = _text(IdentitySettings.mix_weight)
    """Weight of the first of the two."""
    identity_mixup: Annotated[
        str | None, tyro.conf.arg(metavar="LOW:HIGH:STEP", help_behavior_hint="(default: none)")
    ] = None
    """Mix the face of each picture with another person of the set; the share of the person is any
    of these, such as 0:1:0.05 or 0.8. Pose, light, what is worn and noise stay."""
    mixup_label: Literal["soft", "person"] = IdentitySettings.mixup_label
    """soft labels a mixed picture with both and their shares, person with the person alone."""
    similar_to: int = IdentitySettings.base
    """Person whom the others resemble under --cosine or --identity-distance."""
    cosine: MaybeSpread = None
    """Cosine to the coefficients of the base."""
    identity_distance: MaybeSpread = None
    """Distance to the coefficients of the base, sigma."""

    def __post_init__(self) -> None:
        require_options(self, **IDENTITY_RANGES, similar_to=NOT_NEGATIVE)


@dataclasses.dataclass(frozen=True)
class PoseOptions:
    """How the head is turned, degrees."""

    yaw: Spread = _text(PoseSettings.yaw)
    """Positive turns the face to the subject's left."""
    pitch: Spread = _text(PoseSettings.pitch)
    """Positive lifts the chin."""
    roll: Spread = _text(PoseSettings.roll)
    """Positive turns the picture of the face counter-clockwise."""
    pose: MaybeSpread = None
    """Rows of yaw, pitch and roll: empirical(FILE.npy) or vae(FILE)."""


@dataclasses.dataclass(frozen=True)
class ExpressionOptions:
    """What the faces do."""

    expression: Literal["groups", "weights", "neutral"] = ExpressionSettings.kind
    """groups moves few muscles with both sides alike, weights draws every weight by itself."""
    expression_strength: Spread = _text(ExpressionSettings.strength)
    """Factor of all weights of a picture."""
    expression_weights: Spread = _text(ExpressionSettings.weights)
    """Of every expression, under --expression weights."""
    gaze: Spread = _text(ExpressionSettings.gaze)
    """Degrees that the eyes turn, to the side and up."""
    smiles: float = ExpressionSettings.smiles
    """Share of the pictures that show a smile, under --expression groups."""

    def __post_init__(self) -> None:
        require_options(self, **EXPRESSION_RANGES)


@dataclasses.dataclass(frozen=True)
class LightOptions:
    """One main light from a side, and light from all around."""

    light_azimuth: Spread = _text(LightSettings.azimuth)
    """Degrees, positive from the right of the picture."""
    light_elevation: Spread = _text(LightSettings.elevation)
    """Degrees, positive from above."""
    light_share: Spread = _text(LightSettings.share)
    """Share of the main light, 0 to 0.8."""
    light_intensity: Spread = _text(LightSettings.intensity)
    """What a white surface shows that faces the main light."""
    light_warmth: Spread = _text(LightSettings.warmth)
    """Surplus of red over blue."""
    light_coefficients: MaybeSpread = None
    """Rows of 27 spherical-harmonics coefficients instead: empirical(FILE.npy) or vae(FILE)."""


@dataclasses.dataclass(frozen=True)
class CameraOptions:
    """From where and how large the face is seen."""

    scale: Spread = _text(CameraSettings.scale)
    """Height of the mean face, a share of the picture."""
    distance: Spread = _text(CameraSettings.distance)
    """From eye to face, mm."""
    offset_x: Spread = _text(CameraSettings.offset_x)
    """Shift to the right, a share of the picture."""
    offset_y: Spread = _text(CameraSettings.offset_y)
    """Shift down, a share of the picture."""
    weak: Flag = False
    """Parallel rays."""


@dataclasses.dataclass(frozen=True)
class BackgroundOptions:
    """What lies behind the face."""

    background: Literal["auto", "black", "grey", "texture"] = BackgroundSettings.kind
    """auto is black for the plain preset, texture for photo."""
    background_level: Spread = _text(BackgroundSettings.level)
    """Brightness in [0, 1]."""


@dataclasses.dataclass(frozen=True)
class PhotoOptions:
    """What the photo preset adds."""

    detail: float = PhotoSettings.detail
    """Strength of pores, blemishes and shine."""
    hair: float = PhotoSettings.hair
    """Share of people with hair."""
    glasses: float = PhotoSettings.glasses
    """Share of people with glasses."""
    beard: float = PhotoSettings.beard
    """Share of people whose beard, if one grows, is seen."""
    hats: float = PhotoSettings.hats
    """Share of people with a cap, a hat or a headscarf."""
    scarves: float = PhotoSettings.scarves
    """Share of the others with a scarf around the neck."""
    occluders: float = PhotoSettings.occluders
    """Probability of something in front of the face."""
    blur: Spread = _text(PhotoSettings.blur)
    """Standard deviation, pixels of a 227 pixel picture."""
    noise: Spread = _text(PhotoSettings.noise)
    """Standard deviation in middle grey, share of white."""
    jitter: float = PhotoSettings.jitter
    """Strength of changes in contrast and colour."""
    light_rig: LightRigName = PhotoSettings.light_rig
    """Kind of lamps; mixed is any of them, room the light of the plain preset and its numbers. auto
    is room when a number of the light is given, else mixed."""
    no_shadows: Flag = False
    """Lamps throw no shadows."""
    no_occlusion: Flag = False
    """Hollows get as much light from around as everything else."""
    subsurface: float = PhotoSettings.subsurface
    """How far light spreads under the skin, 1 is natural."""
    lids: float = PhotoSettings.lids
    """Strength of the shade of lids and lashes on the eyes."""
    film: float = PhotoSettings.film
    """Share of pictures on grey film, with its grain and contrast."""
    coarse: float = PhotoSettings.coarse
    """Share of pictures of fewer pixels, enlarged."""
    sharpening: Spread = _text(PhotoSettings.sharpening)
    """How much of what a small blur takes away is added."""
    jpeg: float = PhotoSettings.jpeg
    """Share of pictures that were kept as a JPEG."""
    wear: Literal["per-person", "per-picture"] = PhotoSettings.wear
    """Glasses, hats, scarves and clothes are of the person, or drawn anew for every picture, whose
    shares those above then are."""
    haircut: Literal["per-person", "per-picture"] = PhotoSettings.haircut
    """The haircut is of the person, or drawn anew for every picture."""

    @property
    def shadows(self) -> bool:
        """Lamps throw shadows."""
        return not self.no_shadows

    @property
    def occlusion(self) -> bool:
        """Hollows are darker."""
        return not self.no_occlusion

    def __post_init__(self) -> None:
        require_options(self, **PHOTO_RANGES)


@dataclasses.dataclass(frozen=True)
class SynthFacesOptions:
    """Labelled synthetic face images: pictures, parameters, 68 landmarks, and maps of the face.

    Picture (identity, sample) depends on the seed and the options only, not on how many there are
    or how many workers draw them. The presets plain and photo show the same faces in the same poses
    for the same seed. The same command again draws only what is missing; more --identities add to a
    folder.
    """

    out: Folder
    """Folder of the set; it is created."""
    identities: int = 10
    """Number of people."""
    samples: Annotated[
        int | None,
        tyro.conf.arg(metavar="N", help_behavior_hint="(default: 10, or what --grid says)"),
    ] = None
    """Pictures a person."""
    samples_of: Annotated[
        str | None, tyro.conf.arg(metavar="N,N,...", help_behavior_hint="(default: all alike)")
    ] = None
    """Pictures of person 0, 1 and so on, from the first again after the last; or ub1, ub2 or
    balanced: SynFace's long tails, --samples a person on average."""
    vary: Literal["all", "none", "expression", "pose", "light"] = FaceImageSettings.vary
    """What differs between the pictures of a person besides framing, background and noise."""
    track: Annotated[
        int, tyro.conf.arg(metavar="N", help_behavior_hint="(default: every picture by itself)")
    ] = FaceImageSettings.track
    """The pictures of a person are the frames of one smooth movement of pose, expression and gaze,
    with N frames from one drawn pose to the next; light, camera, what is worn and background
    stay."""
    size: int = FaceImageSettings.size
    """Pixels a side."""
    preset: Literal["plain", "photo"] = FaceImageSettings.preset
    """plain is a lit face on black; photo adds hair, skin detail, background, occluders, noise."""
    outputs: tuple[str, ...] = DEFAULT_OUTPUTS
    """Any of rgb alpha depth normals position uv albedo shading region face_id landmarks."""
    grid: Annotated[tuple[str, ...], OPTIONAL] = ()
    """Controlled set: factor=first:last:step or factor=a,b,c; all combinations for every person."""
    others: Literal["fixed", "random"] = FaceImageSettings.others
    """Under --grid: what is no factor is drawn once a person, or for every picture."""
    model: ModelFile = None
    """Face model that the people are drawn from: any file that 'geomface model convert' reads, or a
    factored_geometry run; shipped is the trained model that ships."""
    models: Annotated[tuple[str, ...], OPTIONAL] = ()
    """Several models instead of one, builtin for the built-in face: people are of them in turn."""
    image_format: Literal["png", "npy"] = "png"
    """png packs rgb, alpha, albedo and region; npy packs nothing and is faster."""
    shards: Flag = False
    """Tar shards for WebDataset, with index.json, instead of single files."""
    part_pictures: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: 32, in shards 512)")
    ] = None
    """Pictures a part or shard; parts are what workers make and what is resumed."""
    workers: int = 1
    """Number of worker processes; the bytes do not depend on it."""
    no_eyes: Flag = False
    """Leave the eyes open to what lies behind."""
    identity: IdentityOptions = IdentityOptions()
    expression: ExpressionOptions = ExpressionOptions()
    pose: PoseOptions = PoseOptions()
    light: LightOptions = LightOptions()
    camera: CameraOptions = CameraOptions()
    background: BackgroundOptions = BackgroundOptions()
    photo: PhotoOptions = PhotoOptions()
    executor: ExecutorOptions = ExecutorOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(
            self,
            identities=COUNT,
            samples=COUNT,
            size=COUNT,
            part_pictures=COUNT,
            workers=COUNT,
            track=NOT_NEGATIVE,
        )


def run_synth_faces(options: SynthFacesOptions, run: Run) -> int:
    """Plan, and draw the pictures unless it is a dry run."""
    from geomface.pipeline.face_pictures import FaceSetSettings, face_job

    run.require_cpu()
    settings = FaceSetSettings(
        image_settings(options),
        options.out,
        options.model,
        options.models,
        options.workers,
        options.image_format,
        options.shards,
        options.part_pictures,
    )
    names = {"done": "pictures", "made": "drawn"}
    return execute(face_job(settings), run, options.executor, names, items=False)


def image_settings(options: SynthFacesOptions) -> FaceImageSettings:
    """Return the settings that the options describe.

    Raises
    ------
    SettingsError : numbers out of range, a distribution or a factor that cannot be read.
    """
    factors = parse_factors(options.grid)
    samples, samples_of = options.samples, ()
    if options.samples_of is not None:
        samples, samples_of = 1, parse_samples(options.samples_of, samples)
    elif samples is None:
        samples = 1 if factors else 10
    return FaceImageSettings(
        identities=options.identities,
        samples=samples,
        samples_of=samples_of,
        vary=options.vary,
        track=options.track,
        size=options.size,
        seed=options.common.seed,
        preset=options.preset,
        outputs=options.outputs,
        factors=factors,
        others=options.others,
        eyes=not options.no_eyes,
        identity=_filled(
            IdentitySettings,
            options.identity,
            coefficients="identity",
            base="similar_to",
            distance="identity_distance",
            mixup="identity_mixup",
        ),
        expression=_filled(
            ExpressionSettings,
            options.expression,
            kind="expression",
            strength="expression_strength",
            weights="expression_weights",
        ),
        pose=_filled(PoseSettings, options.pose, joint="pose"),
        light=_filled(LightSettings, options.light, prefix="light_"),
        camera=_filled(CameraSettings, options.camera),
        background=_filled(
            BackgroundSettings, options.background, kind="background", level="background_level"
        ),
        photo=_filled(PhotoSettings, options.photo),
    )


def _filled(settings: type[Settings], options: Any, prefix: str = "", **names: str) -> Settings:
    """Return settings with the values of options; `names` says which options are called otherwise.

    Texts become distributions where the settings want some.
    """
    hints = typing.get_type_hints(settings)
    values = {}
    for name, hint in hints.items():
        value = getattr(options, names.get(name, prefix + name))
        if isinstance(value, str) and Constant in typing.get_args(hint):
            value = parse_distribution(value)
        elif isinstance(value, str) and MixupSettings in typing.get_args(hint):
            value = parse_ratios(value)
        values[name] = value
    return settings(**values)
