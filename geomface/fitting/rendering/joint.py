"""Several pictures of one person at once: shape and skin are shared, the rest is their own."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.fitting.bounded import solve_in_box
from geomface.fitting.rendering.energy import PictureEnergy
from geomface.fitting.rendering.unknowns import Unknowns, determined_count, free_covariance

_HALVINGS = 5

Views = tuple[Unknowns, ...]
"""The unknowns of each picture; shape and albedo are the same in all of them."""


@dataclasses.dataclass(frozen=True, eq=False)
class JointEnergy:
    """E = sum of the energies of n pictures - (n - 1) (-log p(shape, albedo)).

    Parameters
    ----------
    parts : one a picture, of the same face and skin
    """

    parts: tuple[PictureEnergy, ...]

    def energy(self, views: Views) -> float:
        """Return E."""
        own = sum(part.energy(at) for part, at in zip(self.parts, views, strict=True))
        precision, slope, shared = self._shared_prior(views)
        return own - (len(views) - 1) * float(0.5 * precision @ shared**2 + slope @ shared)

    def step(self, views: Views, free: tuple[str, ...]) -> Views:
        """Return the unknowns after one Gauss-Newton step, halved until E falls, or as they were.

        Parameters
        ----------
        free : blocks of the unknowns that may move
        """
        rows = self._rows(views)
        count = 1 + max(int(own.max()) for own in rows)
        matrix, gradient, now = np.zeros((count, count)), np.zeros(count), np.zeros(count)
        lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
        matrices = []
        for part, at, own in zip(self.parts, views, rows, strict=True):
            one, slope = part.equations(at)
            matrix[np.ix_(own, own)] += one
            gradient[own] += slope
            matrices.append(one)
            now[own] = at.linear()
            lower[own], upper[own] = part.scene.prior.bounds(at)
            for name, block in at.blocks.items():
                if name not in free:
                    lower[own[block]] = upper[own[block]] = now[own[block]]
        precision, slope, shared = self._shared_prior(views)
        place = np.arange(len(shared))
        matrix[place, place] -= (len(views) - 1) * precision
        gradient[place] -= (len(views) - 1) * (precision * shared + slope)
        sizes = np.zeros(len(views))
        if "face" in free:
            sizes = self._determined(views, rows, matrix, matrices)
        for size, at, own in zip(sizes, views, rows, strict=True):
            gradient[own[at.blocks["camera"]]] += size * at.camera.log_scale_columns()
        step = solve_in_box(matrix, matrix @ now - gradient, lower, upper) - now
        before = self.energy(views) + _log_scales(views, sizes)
        for halving in range(_HALVINGS):
            share = 0.5**halving
            moved = tuple(at.moved(share * step[own]) for at, own in zip(views, rows, strict=True))
            if self.energy(moved) + _log_scales(moved, sizes) < before:
                return moved
        return views

    def _rows(self, views: Views) -> list[IndexArray]:
        """Return where the unknowns of each picture lie in a joint step; what is shared is first.

        Shape modes come first in it, then the albedo, then the rest of one picture after another.
        """
        shapes, albedos = self.parts[0].scene.face.shape_count, len(views[0].albedo)
        rows, taken = [], shapes + albedos
        for at in views:
            own = np.full(len(at), -1)
            face, albedo = at.blocks["face"], at.blocks["albedo"]
            own[face.start : face.start + shapes] = np.arange(shapes)
            own[albedo] = shapes + np.arange(albedos)
            rest = np.flatnonzero(own < 0)
            own[rest] = taken + np.arange(len(rest))
            taken += len(rest)
            rows.append(own)
        return rows

    def _shared_prior(self, views: Views) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return precision, slope and values of what is shared."""
        face, at = self.parts[0].scene.face, views[0]
        shapes, albedos = face.shape_count, len(at.albedo)
        return (
            np.concatenate([face.precision[:shapes], np.ones(albedos)]),
            np.concatenate([face.slope[:shapes], np.zeros(albedos)]),
            np.concatenate([at.face[:shapes], at.albedo]),
        )

    def _determined(
        self, views: Views, rows: list[IndexArray], matrix: FloatArray, matrices: list[FloatArray]
    ) -> FloatArray:
        """Return how many coefficients of the face each picture determines; none at a bound.

        Expressions count as much as they cost: few of them are active, and these near a bound,
        where Laplace's approximation tells nothing. So they have no say in the size.
        """
        face = self.parts[0].scene.face
        inside = np.ones(len(matrix), bool)
        for at, own in zip(views, rows, strict=True):
            inside[own[at.blocks["face"]]] = (at.face > face.lower) & (at.face < face.upper)
        covariance = free_covariance(matrix, inside)
        mimic = slice(face.shape_count, None)
        counts = np.zeros(len(views))
        for k, (part, at, own) in enumerate(zip(self.parts, views, rows, strict=True)):
            data = matrices[k] - part.scene.prior.equations(at)[0]
            # Shape is the first of what is shared.
            determined = determined_count(
                covariance[np.ix_(own, own)], data, own < face.shape_count
            )
            weights = at.face[mimic]
            cost = (face.precision[mimic] * weights + face.slope[mimic]) @ weights
            counts[k] = determined + float(cost)
        return counts


def _log_scales(views: Views, sizes: FloatArray) -> float:
    return float(sum(size * at.camera.log_scale() for size, at in zip(sizes, views, strict=True)))


def shared_start(views: Views, shapes: int) -> Views:
    """Return the views with the mean of their shapes and albedos.

    Parameters
    ----------
    shapes : number of shape modes, the first coefficients of the face
    """
    shape = np.mean([at.face[:shapes] for at in views], axis=0)
    albedo = np.mean([at.albedo for at in views], axis=0)
    return tuple(
        dataclasses.replace(at, face=np.concatenate([shape, at.face[shapes:]]), albedo=albedo)
        for at in views
    )
