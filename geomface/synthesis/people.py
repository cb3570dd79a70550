"""The people of a set, and who is in each picture of it."""

import dataclasses
import functools

from geomface.synthesis.identities import Person, draw_person, mix_identities
from geomface.synthesis.identity_mixes import draw_identity_mixes
from geomface.synthesis.settings import FaceImageSettings
from geomface.synthesis.trait_axes import TraitAxes

_KEPT_PEOPLE = 4096


class People:
    """Draws who is in the pictures of a set.

    Parameters
    ----------
    settings : of the set
    modes : number of identity modes of the face model
    axes : see `draw_person`
    """

    def __init__(self, settings: FaceImageSettings, modes: int, axes: TraitAxes | None) -> None:
        self._settings = settings
        self._person = functools.lru_cache(_KEPT_PEOPLE)(
            lambda index: draw_person(settings.identity, modes, settings.seed, index, axes)
        )

    def person(self, identity: int) -> Person:
        """Return one person as they are."""
        return self._person(identity)

    def shown(self, identity: int, sample: int) -> Person:
        """Return who is in a picture: the person, under identity mixup mixed with another one.

        Shape and skin are mixed, and with them what follows: age, sex, hair, beard. Random numbers
        of all else, from haircut and glasses to pose and noise, stay those of the person's picture.

        Raises
        ------
        SettingsError : mixup in a set of one person

        Source
        ------
        Qiu et al. 2021, SynFace, Eq. 2.
        """
        settings = self._settings
        mixup = settings.identity.mixup
        if mixup is None:
            return self.person(identity)
        mixes = draw_identity_mixes(
            identity, settings.identities, sample + 1, seed=settings.seed, settings=mixup
        )
        ratio, partner = float(mixes.ratios[sample]), int(mixes.partners[sample])
        if ratio == 1.0:
            return self.person(identity)
        mixed = mix_identities(self.person(identity), self.person(partner), ratio, identity)
        return dataclasses.replace(mixed, known_as_one=settings.identity.mixup_label == "person")
