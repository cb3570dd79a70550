"""Registrations and model fits that find the landmarks themselves where none are given."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from geomface.arrays import require_kind
from geomface.mesh import Landmarks, Mesh, Similarity, Template

if TYPE_CHECKING:
    from geomface.fitting import (
        ModelRegistration,
        ModelRegistrationSettings,
        ScanFit,
        ScanFitSettings,
        ScanFitter,
    )
    from geomface.landmarks.detect import LandmarkDetector
    from geomface.registration import (
        NonRigidRegistration,
        RegistrationResult,
        RegistrationSettings,
        ShapePrior,
    )
    from geomface.registration.fit_state import Progress
    from geomface.statistics import MorphableModel

Fit = TypeVar("Fit")


def register(
    template: "Template | NonRigidRegistration",
    scan: Mesh,
    landmarks: Landmarks | None = None,
    *,
    settings: "RegistrationSettings | None" = None,
    start: Similarity | None = None,
    prior: "ShapePrior | None" = None,
    on_progress: "Progress | None" = None,
    verify: bool = True,
    detector: "LandmarkDetector | None" = None,
) -> "RegistrationResult":
    """Fit the template to a scan and return it where the scan is, in millimetres.

    Parameters
    ----------
    template : a Template, or a `NonRigidRegistration` made from one to re-use its factors
    scan : any triangle mesh of a face; dirt is set aside for the fit and named in the notes
    landmarks : measured points, missing ones NaN; without them they are found on the scan
    settings : see `RegistrationSettings`; ignored when a solver is given
    start : a known pose, template to scan; default from the landmarks
    prior : a shape model to lean on where the scan says little
    on_progress : called with (levels done, levels)
    verify : False returns a result that is no likely face, too; the built-in face is verified with
        its model
    detector : finds missing landmarks, default a new one with the weights that are shipped

    Returns
    -------
    RegistrationResult

    Raises
    ------
    LandmarkError : wrong scheme or count, or too few measured; none given and no face found.
    TooFewMatchesError : hardly any of the template meets the scan.
    FailedRegistrationError : the fit ended, but what it gives is no likely face; it holds the
        result.

    Convention
    ----------
    Neither the scan nor the landmarks need to be upright or in millimetres; the result is where
    the scan is once its numbers are millimetres. Left and right are the subject's.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> scan = gf.simulate_scan(face, rng=np.random.default_rng(1))
    >>> fit = gf.register(face.template, scan.mesh, scan.landmarks)
    >>> fit.converged, fit.flips, bool(fit.residual_mm["median"] < 0.5)
    (True, 0, True)
    """
    from geomface.fitting.model_registration import known_faces
    from geomface.registration import NonRigidRegistration
    from geomface.registration import register as register_from

    require_kind(template, (Template, NonRigidRegistration), "register", where="`.template`")
    solver = template
    if isinstance(solver, Template):
        solver = NonRigidRegistration(solver, settings)
    return _with_start(
        lambda landmarks, start: register_from(
            solver,
            scan,
            landmarks,
            start=start,
            prior=prior,
            on_progress=on_progress,
            verify=verify,
            faces=known_faces(solver.template) if prior is None else None,
        ),
        solver.template,
        scan,
        landmarks,
        start,
        detector,
    )


def fit_scan(
    model: "MorphableModel | ScanFitter",
    scan: Mesh,
    landmarks: Landmarks | None = None,
    *,
    settings: "ScanFitSettings | None" = None,
    start: Similarity | None = None,
    verify: bool = True,
    detector: "LandmarkDetector | None" = None,
) -> "ScanFit":
    """Find the model's face, its pose and its scale that are most probable given a scan.

    Parameters
    ----------
    model, scan, settings : as in `fitting.fit_scan`
    landmarks : measured points, missing ones NaN; without them they are found on the scan
    start : a known pose, model to scan; default from the landmarks
    verify : False returns a result that is no likely face, too
    detector : finds missing landmarks, default a new one with the weights that are shipped

    Returns
    -------
    ScanFit

    Raises
    ------
    LandmarkError : wrong scheme or count, or too few measured; none given and no face found.
    TooFewMatchesError : hardly any of the model meets the scan.
    FailedRegistrationError : the fit ended, but what it gives is no likely face; it holds the
        result.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> scan = gf.simulate_scan(face, rng=np.random.default_rng(1))
    >>> fit = gf.fit_scan(face, scan.mesh, scan.landmarks)
    >>> fit.shape.shape == (len(face.shape),), bool(fit.residual_mm["median"] < 2.0)
    (True, True)
    """
    from geomface.fitting import ScanFitter
    from geomface.fitting import fit_scan as fit_from

    fitter = model if isinstance(model, ScanFitter) else ScanFitter(model, settings)
    return _with_start(
        lambda landmarks, start: fit_from(fitter, scan, landmarks, start=start, verify=verify),
        fitter.model.template,
        scan,
        landmarks,
        start,
        detector,
    )


def register_with_model(
    model: "MorphableModel | ModelRegistration",
    scan: Mesh,
    landmarks: Landmarks | None = None,
    *,
    settings: "ModelRegistrationSettings | None" = None,
    start: Similarity | None = None,
    verify: bool = True,
    detector: "LandmarkDetector | None" = None,
) -> "RegistrationResult":
    """Register a model's topology to a scan as `fitting.register_with_model` does.

    Parameters
    ----------
    model, scan, settings : as there
    landmarks, start, verify, detector : as in `fit_scan`

    Raises
    ------
    LandmarkError, TooFewMatchesError, FailedRegistrationError : as `fit_scan`.
    """
    from geomface.fitting import ModelRegistration
    from geomface.fitting import register_with_model as register_from

    solver = model if isinstance(model, ModelRegistration) else ModelRegistration(model, settings)
    return _with_start(
        lambda landmarks, start: register_from(solver, scan, landmarks, start=start, verify=verify),
        solver.fitter.model.template,
        scan,
        landmarks,
        start,
        detector,
    )


def _with_start(
    fit: Callable[[Landmarks | None, Similarity | None], Fit],
    template: Template,
    scan: Mesh,
    landmarks: Landmarks | None,
    start: Similarity | None,
    detector: "LandmarkDetector | None",
) -> Fit:
    """Fit from what is given; from what is found, with a note, when nothing is."""
    if landmarks is not None or start is not None:
        return fit(landmarks, start)
    from geomface.landmarks.for_template import find_start

    require_kind(scan, Mesh, "register", where="`.mesh`")
    found = find_start(template, scan, detector)
    result: Any = fit(found.landmarks, found.start)
    return dataclasses.replace(result, notes=(found.note, *result.notes))
