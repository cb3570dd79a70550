"""The numbers that a person's skin and hair follow from, and how the shape tells of them."""

from collections.abc import Mapping

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError

TOLD = (
    "masculinity",
    "age",
    "weight",
    "browWidth",
    "browDensity",
    "tone",
    "hairTone",
    "warmth",
    "ruddiness",
    "lipRedness",
    "beard",
    "cheekRedness",
    "freckles",
    "socketDarkness",
    "noseRedness",
    "lipLightness",
)
"""What a shape tells of, from the surest on."""
_OWN = (
    "moustache",
    "chinBeard",
    "jawBeard",
    "beardLength",
    "hairRed",
    "hairGrey",
    "hairCurl",
    "baldness",
    "hairLine",
    "sideburns",
    "browHeight",
    "browGap",
    "browArch",
    "browTail",
    "browShape",
    "upperLip",
    "lowerLip",
    "lipEdge",
    "eyeBags",
    "nasolabial",
    "marionette",
    "foreheadLines",
    "foreheadPhase",
    "crowsFeet",
    "frownLines",
    "moles",
    "ageSpots",
    "makeup",
    "eyeShadow",
    "eyeShadowHue",
    "lipstick",
    "lipstickHue",
    "rouge",
)
SPOTS, PATCHES = 6, 20
"""Codes that choose which spots somebody has, and codes of patterns over the whole face."""
_LATER = (
    "nostrilSize",
    "noseWing",
    "lidCrease",
    "lidCreaseHeight",
    "lashes",
)
"""Numbers that came later: behind the others, which stay what they were for every person."""
ALBEDO_PARAMETERS = (
    *TOLD,
    *_OWN,
    *(f"spots{k}" for k in range(SPOTS)),
    *(f"patch{k}" for k in range(PATCHES)),
    *_LATER,
)
ALBEDO_SIZE = len(ALBEDO_PARAMETERS)
IDENTITY_CORRELATION = np.linspace(0.9, 0.1, len(TOLD))
"""Canonical correlations of shape and skin; the codes that no shape tells of have none."""
_ROTATION_SEED = 16
# Rows of the rotation that are one mode of the built-in face each, with its sign: heavy brows and
# jaws on men, sagging with age, full cheeks, broad noses and lips under dark skin, flat midfaces
# under sallow skin.
_MEANT = {
    "masculinity": (1, 1.0),
    "age": (7, 1.0),
    "weight": (2, 1.0),
    "tone": (3, -1.0),
    "warmth": (5, 1.0),
}


def sample_albedo_code(identity: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw the albedo code of a person whose shape is known.

    c_told = rho * (Q alpha[:16]) + sqrt(1 - rho^2) * eps,  c_own = eps,  eps ~ N(0, I)

    Q is a fixed orthogonal matrix and rho falls from 0.9 to 0.1, so the canonical correlations of
    shape and colour are known: rho itself.

    Parameters
    ----------
    identity : (K,) coefficients, N(0, 1) over people, K >= 16

    Returns
    -------
    (ALBEDO_SIZE,) float64, N(0, I) over people

    Raises
    ------
    SettingsError : fewer than 16 coefficients, NaN or infinity.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> rng = np.random.default_rng(1)
    >>> gf.sample_albedo_code(gf.load_builtin_face().sample_identity(rng), rng).shape
    (80,)
    """
    alpha = np.asarray(identity, dtype=np.float64)
    count = len(TOLD)
    if alpha.ndim != 1 or len(alpha) < count or not np.isfinite(alpha).all():
        raise SettingsError(
            f"identity: expected at least {count} finite coefficients as one row, got an "
            f"array of shape {alpha.shape}. Draw it with MorphableModel.sample_identity."
        )
    code = draw_code(rng)
    rho = IDENTITY_CORRELATION
    # Element by element: a matrix product's last bits are the library's choice.
    told = np.einsum("ij,j->i", identity_rotation(), alpha[:count])
    code[:count] = rho * told + np.sqrt(1.0 - rho**2) * code[:count]
    return code


def draw_code(rng: np.random.Generator) -> FloatArray:
    """Draw the (ALBEDO_SIZE,) code of a person whose shape is not known, N(0, I)."""
    first = rng.standard_normal(ALBEDO_SIZE - len(_LATER))
    # From a generator of their own: what is drawn behind a code does not move when codes grow.
    own = np.random.default_rng(np.frombuffer(first.tobytes(), np.uint32))
    return np.concatenate([first, own.standard_normal(len(_LATER))])


def identity_rotation() -> FloatArray:
    """Return Q, the fixed (16, 16) orthogonal matrix that ties colour to shape."""
    count = len(TOLD)
    noise = np.random.default_rng(_ROTATION_SEED).standard_normal((count, count))
    for name, (mode, sign) in _MEANT.items():
        noise[TOLD.index(name)] = 0.0
        noise[:, mode] = 0.0
        noise[TOLD.index(name), mode] = sign
    q, r = np.linalg.qr(noise.T)
    return (q * np.sign(np.diag(r))).T


def code_values(code: FloatArray) -> Mapping[str, float]:
    """Return the numbers of a code by their names; those that a shorter code leaves out are 0.

    Raises
    ------
    SettingsError : a code that is no row, too long, or holds NaN or infinity.
    """
    code = np.asarray(code, dtype=np.float64)
    if code.ndim != 1 or len(code) > ALBEDO_SIZE:
        raise SettingsError(
            f"albedo code: expected at most {ALBEDO_SIZE} numbers as one row, got an array of "
            f"shape {code.shape}."
        )
    if not np.isfinite(code).all():
        raise SettingsError("albedo code: the parameters hold NaN or infinity.")
    whole = np.zeros(ALBEDO_SIZE)
    whole[: len(code)] = code
    return dict(zip(ALBEDO_PARAMETERS, whole.tolist(), strict=True))
