"""Both detectors' trainings on the kit, in the same processes: starting one takes the most time."""

import pytest
from training_kit import check_lives, check_processes_agree, train_and_kill

FACTORIES = ["detector_case:detector", "photograph_case:photographs"]


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lives")
    train_and_kill(FACTORIES, folder, steps=16)
    return folder


@pytest.mark.parametrize("factory", FACTORIES)
def test_killed_lives_leave_what_one_leaves(lives, factory) -> None:
    check_lives(factory, lives)


def test_two_processes_are_one(tmp_path) -> None:
    check_processes_agree(FACTORIES, tmp_path, steps=4)
