"""No setting of a registration takes what is no number, or no size."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import MeshError, SettingsError
from geomface.mesh import Mesh
from geomface.registration.settings import RegistrationSettings

NUMBERS = [
    field.name
    for field in dataclasses.fields(RegistrationSettings)
    if field.name not in ("method", "two_way")
]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_refused_by_name(name, bad):
    usual = getattr(RegistrationSettings(), name)
    value = (bad, *usual[1:]) if isinstance(usual, tuple) else bad
    with pytest.raises(SettingsError, match=f"^{name}: expected"):
        RegistrationSettings(**{name: value})


def test_fractions_are_no_indices():
    with pytest.raises(MeshError, match="faces: expected whole numbers"):
        Mesh(np.eye(3), np.array([[0.0, 0.9, 2.0]]))
