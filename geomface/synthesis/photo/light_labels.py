"""The light of a photograph as labels: its lamps and sky, and what a matt surface sees of them."""

from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.synthesis.lights import harmonics, light_coefficients
from geomface.synthesis.photo.light_rig import SKY, SKY_SIZE, LightRig
from geomface.synthesis.photo.painter import Shine


def light_labels(rig: LightRig, shine: Shine, rotation: FloatArray) -> dict[str, Any]:
    """Return what a manifest says of the light of a photograph, in JSON's own types.

    Parameters
    ----------
    rig : lamps and sky of the picture
    shine : exposure, and how the skin shines
    rotation : (3, 3) world to camera

    Returns
    -------
    "kind"; "lamps", the main one first, each with "direction" (3) in camera axes (x to the right
    of the picture, y up, z to the eye), "color" (3) in linear light and "size" (half angle,
    radians); "sky" (16, 3), radiance from the directions `SKY`; "exposure"; "gloss"; "harmonics",
    see `rig_harmonics`
    """
    return {
        "kind": rig.kind,
        "lamps": [
            {
                "direction": np.asarray(lamp.direction, float).tolist(),
                "color": np.asarray(lamp.color, float).tolist(),
                "size": float(lamp.size),
            }
            for lamp in rig.lamps
        ],
        "sky": np.asarray(rig.sky, float).tolist(),
        "exposure": float(shine.exposure),
        "gloss": float(shine.gloss),
        "harmonics": rig_harmonics(rig, rotation).tolist(),
    }


def rig_harmonics(rig: LightRig, rotation: FloatArray) -> FloatArray:
    """Return the (9, 3) harmonics of all the light, in the axes of the face, without shadows.

    L_k = sum over lamps of c Y_k(d) / sum A_k Y_k(d)^2 + (4 pi / 16) sum over the sky of r Y_k(d)

    Convention
    ----------
    As `light` of the plain preset, of which `room_rig` makes lamp and sky: the two are inverse but
    for what the 16 directions of the sky add to the second order.
    """
    dark = np.zeros(3)
    lamps = [
        light_coefficients(_from_camera(lamp.direction, rotation), np.stack([dark, lamp.color]))
        for lamp in rig.lamps
    ]
    basis = np.stack([harmonics(_from_camera(direction, rotation)) for direction in SKY])
    return np.sum(lamps, axis=0) + 4.0 * np.pi / SKY_SIZE * basis.T @ rig.sky


def _from_camera(direction: FloatArray, rotation: FloatArray) -> FloatArray:
    """Return a direction in the axes of the face: those of the camera point down and away."""
    return np.asarray(rotation.T @ (direction * [1.0, -1.0, -1.0]))
