"""Registration: a template fitted to a scan, rigidly and then non-rigidly."""

from geomface.registration.nonrigid import NonRigidRegistration
from geomface.registration.register import ShapePrior, register
from geomface.registration.result import RegistrationResult, RegistrationStep
from geomface.registration.settings import RegistrationSettings

__all__ = [
    "NonRigidRegistration",
    "RegistrationResult",
    "RegistrationSettings",
    "RegistrationStep",
    "ShapePrior",
    "register",
]
