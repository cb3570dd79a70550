"""Everything that one picture depends on, drawn from the settings."""

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.statistics import MorphableModel
from geomface.synthesis.distributions import gives_rows
from geomface.synthesis.drawing import draw, draw_many, draw_one
from geomface.synthesis.grids import FACTORS, grid_point
from geomface.synthesis.identities import Person
from geomface.synthesis.lights import light_coefficients, room_light
from geomface.synthesis.settings import FaceImageSettings
from geomface.synthesis.smiles import smiling
from geomface.synthesis.streams import stream
from geomface.synthesis.tracks import Moving, moment

LEAST_DISTANCE, LARGEST_DISTANCE = 250.0, 100_000.0
LEAST_SCALE, LARGEST_SCALE = 0.05, 4.0


@dataclasses.dataclass(frozen=True, eq=False)
class FaceParameters:
    """The truth behind one picture.

    Parameters
    ----------
    identity, sample : numbers of the person and of the picture
    person : shape and skin
    expression : (X,) weights
    gaze : (2,) degrees of the eyes to the subject's left and up
    yaw, pitch, roll : degrees, see `look_rotation`
    rotation : (3, 3) world to camera of these angles
    distance : mm from the eye to the face
    scale : height of the mean face as a share of the picture
    offset : (2,) shift to the right and down, share of the picture
    weak : parallel rays
    light : (9, 3) spherical harmonics in the axes of the face
    background : level in [0, 1]
    stream : number of the sample whose random numbers the picture's effects use
    light_stream : the same for lamps and exposure
    """

    identity: int
    sample: int
    person: Person
    expression: FloatArray
    gaze: FloatArray
    yaw: float
    pitch: float
    roll: float
    rotation: FloatArray
    distance: float
    scale: float
    offset: FloatArray
    weak: bool
    light: FloatArray
    background: float
    stream: int
    light_stream: int


def draw_parameters(
    settings: FaceImageSettings, model: MorphableModel, person: Person, sample: int
) -> FaceParameters:
    """Draw the parameters of one picture of a person.

    The same for every preset, size and set of outputs, so equal seeds give exact pairs.

    Parameters
    ----------
    settings : distributions, and factors of a controlled set
    model : for the number and names of its expressions
    person : who
    sample : number of the picture

    Raises
    ------
    SettingsError : a factor that is neither one of `FACTORS` nor an expression of the model.
    """
    point = grid_point(settings.factors, sample) if settings.factors else {}
    check_factors(point, model)
    fixed = bool(settings.factors) and settings.others == "fixed"
    # In a track, all that does not move is of the person.
    number = 0 if fixed or settings.track else sample
    seed, who = settings.seed, person.index
    lit = number if settings.vary in ("all", "light") else 0

    def at(moving: Moving, group: str, draw: Callable[[int], FloatArray]) -> FloatArray:
        varies = settings.vary in ("all", group) and not fixed
        return moment(settings, who, sample if varies else 0, moving).between(draw)

    angles = at("pose", "pose", lambda key: _pose(settings, stream(seed, "pose", who, key)))
    turned = ("yaw", "pitch", "roll")
    pose = dict(zip(turned, angles.tolist(), strict=True)) | _only(point, *turned)
    camera = _camera(settings, stream(seed, "camera", who, number))
    camera |= _only(point, "scale", "distance", "offset_x", "offset_y")
    rotation = head_rotation(pose["yaw"], pose["pitch"], pose["roll"])
    background = draw_one(settings.background.level, stream(seed, "background", who, number))
    expression = at(
        "expression",
        "expression",
        lambda key: _expression(
            settings,
            model,
            stream(seed, "expression", who, key),
            stream(seed, "smile", who, key),
            point,
        ),
    )
    gaze = at(
        "gaze",
        "expression",
        lambda key: draw(settings.expression.gaze, stream(seed, "gaze", who, key), 2),
    )
    return FaceParameters(
        identity=who,
        sample=sample,
        person=person,
        expression=expression,
        gaze=gaze.clip(-25, 25),
        yaw=pose["yaw"],
        pitch=pose["pitch"],
        roll=pose["roll"],
        rotation=rotation,
        distance=float(np.clip(camera["distance"], LEAST_DISTANCE, LARGEST_DISTANCE)),
        scale=float(np.clip(camera["scale"], LEAST_SCALE, LARGEST_SCALE)),
        offset=np.array([camera["offset_x"], camera["offset_y"]]),
        weak=settings.camera.weak,
        light=_light(settings, stream(seed, "light", who, lit), rotation, point),
        background=float(np.clip(point.get("background", background), 0, 1)),
        stream=number,
        light_stream=lit,
    )


def with_factors(
    item: FaceParameters, expression: FloatArray, light: FloatArray, pose: FloatArray
) -> FaceParameters:
    """Return the parameters of a picture with another expression, light and pose.

    Parameters
    ----------
    expression : (X,) weights
    light : (9, 3) spherical harmonics in the axes of the face
    pose : (3,) yaw, pitch and roll, degrees
    """
    yaw, pitch, roll = (float(angle) for angle in pose)
    return dataclasses.replace(
        item,
        expression=np.asarray(expression, np.float64),
        light=np.asarray(light, np.float64),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        rotation=head_rotation(yaw, pitch, roll),
    )


def check_factors(factors: Mapping[str, object], model: MorphableModel) -> None:
    """Raise unless every factor is known.

    Raises
    ------
    SettingsError : the message lists what there is.
    """
    for name in factors:
        if name not in FACTORS and name not in model.blendshapes.names:
            raise SettingsError(
                f"grid factor {name!r}: expected one of {', '.join(FACTORS)}, or an expression of "
                f"{model.name}: {', '.join(model.blendshapes.names) or 'it has none'}."
            )


def head_rotation(yaw: float, pitch: float, roll: float) -> FloatArray:
    """Return the (3, 3) float64 rotation of `look_rotation` for one head."""
    a, b, c = math.radians(yaw), -math.radians(pitch), math.radians(roll)
    ca, cb, cc = math.cos(a), math.cos(b), math.cos(c)
    sa, sb, sc = math.sin(a), math.sin(b), math.sin(c)
    around_y = np.array([[ca, 0, sa], [0, 1, 0], [-sa, 0, ca]])
    around_x = np.array([[1, 0, 0], [0, cb, -sb], [0, sb, cb]])
    around_z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    # Element by element: a matrix product's last bits are the library's choice.
    turn = np.einsum("ij,jk->ik", np.einsum("ij,jk->ik", around_z, around_x), around_y)
    return turn * np.array([[1.0], [-1.0], [-1.0]])


def _pose(settings: FaceImageSettings, rng: np.random.Generator) -> FloatArray:
    """Return yaw, pitch and roll, degrees."""
    pose = settings.pose
    if pose.joint is not None:
        return draw(pose.joint, rng, 3, "pose")
    return np.array([draw_one(angle, rng) for angle in (pose.yaw, pose.pitch, pose.roll)])


def _camera(settings: FaceImageSettings, rng: np.random.Generator) -> dict[str, float]:
    names = ("scale", "distance", "offset_x", "offset_y")
    return {name: draw_one(getattr(settings.camera, name), rng) for name in names}


def _light(
    settings: FaceImageSettings,
    rng: np.random.Generator,
    rotation: FloatArray,
    point: Mapping[str, float],
) -> FloatArray:
    light = settings.light
    if light.coefficients is not None:
        return draw(light.coefficients, rng, 27, "light").reshape(9, 3)
    names = ("azimuth", "elevation", "share", "intensity")
    values = {name: draw_one(getattr(light, name), rng) for name in names}
    warmth = draw_one(light.warmth, rng)
    values |= {name: point[f"light_{name}"] for name in names if f"light_{name}" in point}
    direction, shading = room_light(
        values["azimuth"],
        values["elevation"],
        float(np.clip(values["share"], 0.0, 0.8)),
        max(values["intensity"], 0.0),
        float(np.clip(warmth, -0.8, 0.8)),
    )
    # The light stays in the room while the head turns: from camera axes back to those of the face.
    towards = np.einsum("ij,i->j", rotation, direction * [1.0, -1.0, -1.0])
    return light_coefficients(towards, shading)


def _expression(
    settings: FaceImageSettings,
    model: MorphableModel,
    rng: np.random.Generator,
    smile_rng: np.random.Generator,
    point: Mapping[str, float],
) -> FloatArray:
    kind = settings.expression.kind
    weights = np.zeros(len(model.blendshapes))
    if kind != "neutral" and len(model.blendshapes):
        strength = draw_one(settings.expression.strength, rng)
        if kind == "groups":
            weights = model.sample_expression(rng)
            if smile_rng.random() < settings.expression.smiles:
                weights = smiling(weights, model.blendshapes.names, smile_rng)
        else:
            each = settings.expression.weights
            # A mixture decides for every muscle by itself; rows are whole expressions.
            weights = (
                draw(each, rng, len(weights), "expression")
                if gives_rows(each)
                else draw_many(each, rng, len(weights))
            )
        weights = np.clip(strength * weights, 0.0, 1.0)
    for name, value in point.items():
        if name in model.blendshapes.names:
            weights[model.blendshapes.names.index(name)] = value
    return weights


def _only(point: Mapping[str, float], *names: str) -> dict[str, float]:
    return {name: point[name] for name in names if name in point}
