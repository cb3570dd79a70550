"""Distributions as short texts, such as `mixture(0.7*gaussian(0,5),0.3*uniform(-60,60))`."""

import re

from geomface.errors import FileFormatError
from geomface.synthesis.distributions import (
    Constant,
    Distribution,
    DistributionError,
    Empirical,
    Gaussian,
    Mixture,
    Uniform,
    Vae,
)

FORMS = (
    "constant(0)",
    "uniform(-30,30)",
    "gaussian(0,12)",
    "empirical(1,2,5)",
    "empirical(values.npy)",
    "vae(factors.safetensors)",
    "mixture(0.7*gaussian(0,5),0.3*uniform(-60,60))",
)
"""One example of each form that `parse_distribution` reads."""

_TERM = re.compile(r"\s*([a-z]+)\s*\((.*)\)\s*", re.DOTALL)
_COUNTS = {"constant": 1, "uniform": 2, "gaussian": 2}
_DEEPEST = 8


def parse_distribution(text: str) -> Distribution:
    """Return the distribution that a text describes; a bare number is a constant.

    Parameters
    ----------
    text : see `FORMS`; `empirical(FILE.npy)` reads numbers (n,) or rows (n, d), `vae(FILE)` the
        file of `geomface synth vae`

    Raises
    ------
    DistributionError : a text of another form, or numbers that make no distribution.
    FileFormatError : a file of values that cannot be read.
    """
    return _parse(text, text, 0)


def format_distribution(distribution: Distribution) -> str:
    """Return the text from which `parse_distribution` makes the same distribution.

    Raises
    ------
    DistributionError : rows, which have no text; keep them in an .npy file.
    """
    if isinstance(distribution, Constant):
        return f"constant({_number(distribution.value)})"
    if isinstance(distribution, Uniform):
        return f"uniform({_number(distribution.low)},{_number(distribution.high)})"
    if isinstance(distribution, Gaussian):
        return f"gaussian({_number(distribution.mean)},{_number(distribution.sigma)})"
    if isinstance(distribution, Mixture):
        pairs = zip(distribution.weights, distribution.parts, strict=True)
        terms = (f"{_number(weight)}*{format_distribution(part)}" for weight, part in pairs)
        return f"mixture({','.join(terms)})"
    if isinstance(distribution, Vae):
        return f"vae({distribution.file})"
    numbers = [value for value in distribution.values if not isinstance(value, tuple)]
    if not numbers:
        raise DistributionError("empirical: rows have no short text. Save them with numpy.save.")
    return f"empirical({','.join(map(_number, numbers))})"


def _parse(text: str, whole: str, depth: int) -> Distribution:
    bare = _float(text)
    if bare is not None:
        return Constant(bare)
    found = _TERM.fullmatch(text)
    if found is None or depth > _DEEPEST:
        raise _refusal(whole, f"{text.strip()!r} is none of them")
    name, inside = found[1], found[2]
    parts = _split(inside, whole)
    if name == "mixture":
        return _mixture(parts, whole, depth)
    if name == "empirical":
        if len(parts) == 1 and parts[0].strip().endswith(".npy"):
            return _from_file(parts[0].strip())
        return Empirical(tuple(_required(part, whole) for part in parts))
    if name == "vae":
        from geomface.synthesis.factor_vae.factor_vae import vae_digest

        return Vae(inside.strip(), vae_digest(inside.strip()))
    if name not in _COUNTS:
        raise _refusal(whole, f"{name!r} is not a distribution")
    numbers = [_required(part, whole) for part in parts]
    if len(numbers) != _COUNTS[name]:
        raise _refusal(whole, f"{name} takes {_COUNTS[name]} numbers, got {len(numbers)}")
    return {"constant": Constant, "uniform": Uniform, "gaussian": Gaussian}[name](*numbers)


def _mixture(terms: list[str], whole: str, depth: int) -> Mixture:
    weights, parts = [], []
    for term in terms:
        weight, star, rest = term.partition("*")
        if not star:
            raise _refusal(whole, f"{term.strip()!r} has no weight in front, such as 0.5*")
        weights.append(_required(weight, whole))
        parts.append(_parse(rest, whole, depth + 1))
    return Mixture(tuple(parts), tuple(weights))


def _from_file(path: str) -> Empirical:
    from geomface.files.numpy_files import read_array
    from geomface.files.reading import read_bytes

    values = read_array(read_bytes(path, "numbers saved by numpy.save"), path)
    if values.ndim not in (1, 2) or values.dtype.kind not in "fiu":
        raise FileFormatError(
            f"{path}: expected numbers of shape (n,) or rows (n, d), got {values.dtype} of shape "
            f"{values.shape}."
        )
    return Empirical(tuple(values.tolist()))


def _split(text: str, whole: str) -> list[str]:
    """Split at the commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
        if sign == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    if depth != 0:
        raise _refusal(whole, "its brackets do not match")
    return [*parts, text[start:]]


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _required(text: str, whole: str) -> float:
    value = _float(text)
    if value is None:
        raise _refusal(whole, f"{text.strip()!r} is not a number")
    return value


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _refusal(whole: str, reason: str) -> DistributionError:
    return DistributionError(
        f"distribution {whole!r}: {reason}. Expected a form such as {', '.join(FORMS)}."
    )
