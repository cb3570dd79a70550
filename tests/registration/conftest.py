"""One face, its solver and a scan of somebody, shared by the tests of whole registrations."""

import numpy as np
import pytest

from geomface.faces.builtin import load_builtin_face
from geomface.registration import NonRigidRegistration
from geomface.scans.simulate import simulate_scan


@pytest.fixture(scope="session")
def face():
    return load_builtin_face()


@pytest.fixture(scope="session")
def solver(face):
    return NonRigidRegistration(face.template)


@pytest.fixture(scope="session")
def scan(face):
    return simulate_scan(face, rng=np.random.default_rng(3))
