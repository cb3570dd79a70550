"""Checks of settings that a choice or a distribution has to pass."""

from geomface.errors import SettingsError
from geomface.synthesis.distributions import Constant, Distribution, Empirical, Mixture, Uniform


def require_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a word that is none of those known."""
    if value not in known:
        raise SettingsError(f"{name}: expected one of {', '.join(known)}, got {value!r}.")


def require_range(
    name: str, distribution: Distribution, low: float | None, high: float | None
) -> None:
    """Refuse a distribution whose bounded parts leave a range; Gaussians are clipped when drawn."""
    parts: list[Distribution] = [distribution]
    while parts:
        part = parts.pop()
        values: tuple = ()
        if isinstance(part, Mixture):
            parts.extend(part.parts)
        elif isinstance(part, Constant):
            values = (part.value,)
        elif isinstance(part, Uniform):
            values = (part.low, part.high)
        elif isinstance(part, Empirical):
            values = part.values
        for value in values:
            below = low is not None and value < low
            if isinstance(value, tuple) or below or (high is not None and value > high):
                bound = f"at least {low:g}" if high is None else f"at most {high:g}"
                if low is not None and high is not None:
                    bound = f"{low:g} to {high:g}"
                raise SettingsError(f"{name}: expected {bound}, got values such as {value}.")
