"""Registration: a template fitted to a scan, rigidly and then non-rigidly."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geomface.registration.nonrigid import NonRigidRegistration
    from geomface.registration.registering import ShapePrior, register
    from geomface.registration.result import RegistrationResult, RegistrationStep
    from geomface.registration.settings import RegistrationSettings

# Lazy (PEP 562): the command line and the pipeline's plan read RegistrationSettings and must not
# load the solvers for it.
_HOMES = {
    "NonRigidRegistration": "nonrigid",
    "RegistrationResult": "result",
    "RegistrationSettings": "settings",
    "RegistrationStep": "result",
    "ShapePrior": "registering",
    "register": "registering",
}

__all__ = [
    "NonRigidRegistration",
    "RegistrationResult",
    "RegistrationSettings",
    "RegistrationStep",
    "ShapePrior",
    "register",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
