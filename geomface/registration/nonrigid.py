"""Coarse-to-fine non-rigid registration of a template to a scan."""

from collections.abc import Callable

from geomface.mesh import Landmarks
from geomface.registration.fitting import FitState, Fitting
from geomface.registration.prior import DeformationPrior
from geomface.registration.scan_target import ScanTarget
from geomface.registration.template_terms import TemplateTerms

Progress = Callable[[int, int], None]


class NonRigidRegistration(TemplateTerms):
    """Fits one template to many scans: what depends on the template alone is computed once.

    Each step matches the visible template to the scan and solves

    min_d  lambda d^T K d
           + sum_v w_v [ (n_v . (x_v + d_v - p_v))^2 + t_v |P_v (x_v + d_v - q_v)|^2 ]
           + sum_l u_l |x_l + d_l - y_l|^2

    for the total displacement d from rest: K the bending operator, (p, n) the scan's tangent
    plane, q the feature match, w robust weights times area, t the tangential share (large at
    features only), y the landmarks. lambda falls from level to level.

    Parameters
    ----------
    template : one disk with holes
    settings : see `RegistrationSettings`

    Source
    ------
    Point-to-plane non-rigid ICP in displacement form; bending energy as in Botsch and Kobbelt
    2004, stiffness annealing as in Amberg et al. 2007 (there on increments, here on the total
    displacement, so the material is not plastic); features instead of hard correspondences.
    """

    def fit(
        self,
        target: ScanTarget,
        landmarks: Landmarks | None = None,
        *,
        prior: DeformationPrior | None = None,
        on_progress: Progress | None = None,
    ) -> FitState:
        """Fit the template to a scan; everything in the fitting frame.

        Raises
        ------
        TooFewMatchesError : less than `minimum_kept` of the visible template found a match.
        """
        run = Fitting(self, target, landmarks, prior)
        settings = self.settings
        levels = len(settings.stiffness)
        for level, stiffness in enumerate(settings.stiffness):
            last = level == levels - 1
            progress = level / max(levels - 1, 1)
            if prior is not None:
                stiffness *= settings.prior_stiffness**progress
            run.begin_level(progress, stiffness)
            if level in (levels // 2, levels - 2):
                run.update_exposure()
            cap = settings.final_matches if last else settings.matches_per_level
            for _ in range(cap):
                motion = run.step(level, stiffness, on_triangles=last)
                if motion < settings.stop_motion_mm:
                    break
            if on_progress is not None:
                on_progress(level + 1, levels)
        run.mend(levels - 1, stiffness)
        return run.state()
