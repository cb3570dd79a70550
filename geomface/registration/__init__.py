"""Registration: a template fitted to a scan, rigidly and then non-rigidly."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.registration.fit_state import RegistrationStep as RegistrationStep
    from geomface.registration.nonrigid import NonRigidRegistration as NonRigidRegistration
    from geomface.registration.prior import ShapePrior as ShapePrior
    from geomface.registration.registering import RegistrationResult as RegistrationResult
    from geomface.registration.registering import register as register
    from geomface.registration.settings import RegistrationSettings as RegistrationSettings
    from geomface.registration.verification import Verification as Verification
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
