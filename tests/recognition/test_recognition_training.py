"""The training of embedders: losses in closed form, augmentation, exact resume, who is held out."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from recognition_case import TINY, apart, both, people_of_noise, settings, synthetic
from training_kit import (
    check_lives,
    check_only_its_own,
    check_processes_agree,
    train_and_kill,
)

from geomface.errors import SettingsError
from geomface.learning.errors import DatasetError
from geomface.learning.holdout import is_held_out
from geomface.learning.stream import Draws
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.margins.margin_softmax import margin_loss
from geomface.recognition.margins.soft_targets import SoftTargets, mix, one_hot
from geomface.recognition.training.augmentation import AugmentationSettings, augment_faces
from geomface.recognition.training.contrastive import contrastive_loss, partner_shares
from geomface.recognition.training.people import first_people, gather_faces, split_people
from geomface.recognition.training.settings import recognition_recipe
from geomface.recognition.training.task import RecognitionTask

OFF = AugmentationSettings(**{f.name: 0.0 for f in dataclasses.fields(AugmentationSettings)})


CASES = [f"recognition_case:{name}" for name in ("synthetic", "both", "apart")]


def faces_in(count: int, seed: int = 0) -> torch.Tensor:
    """Smooth pictures in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand((count, 3, 7, 6), generator=generator) * 1.6 - 0.8
    return torch.nn.functional.interpolate(coarse, (28, 24), mode="bicubic").clamp(-0.9, 0.9)


def augmented(images: torch.Tensor, seed: int = 1, **use: float) -> torch.Tensor:
    draws = Draws(torch.Generator().manual_seed(seed), len(images))
    changed = dataclasses.replace(OFF, **use)
    return augment_faces({"images": images}, draws, settings=changed)["images"]


def test_contrastive_loss_of_two_people_has_its_closed_form():
    # Pictures of one person coincide and two people are orthogonal: every picture has one other of
    # its person at cosine 1 and two others at cosine 0.
    z = torch.eye(2, dtype=torch.float64).repeat_interleave(2, 0)
    loss = contrastive_loss(z, one_hot(torch.tensor([0, 0, 1, 1])), 0.5)
    assert float(loss) == pytest.approx(-math.log(math.e**2 / (math.e**2 + 2)))


def test_people_of_a_mix_give_their_masses_to_those_who_share_them():
    # 0.3 of person 0 and 0.7 of 1; 0.6 of 0 and 0.4 of 2, whom nobody else shows; 1 alone.
    targets = mix(torch.tensor([0, 0, 1]), torch.tensor([1, 2, 2]), torch.tensor([0.3, 0.6, 1.0]))
    expected = torch.tensor([[0.0, 0.3, 0.7], [0.6, 0.0, 0.0], [1.0, 0.0, 0.0]])
    torch.testing.assert_close(partner_shares(targets), expected.to(targets.masses.dtype))


def test_people_who_are_often_in_a_batch_do_not_outweigh_those_who_are_rare_in_it():
    # Eight blends, half of each picture of a person who is there twice, half of one in all eight.
    rare, often = torch.arange(4).repeat_interleave(2), torch.full((8,), 4)
    shares = partner_shares(mix(rare, often, torch.full((8,), 0.5)))
    same = rare[:, None] == rare
    assert torch.allclose((shares * same).sum(dim=1), torch.tensor(0.5 + 0.5 / 7))
    assert torch.allclose(shares.sum(dim=1), torch.tensor(1.0))


def test_contrastive_loss_is_a_mean_over_the_pictures_however_many_each_person_has():
    z = torch.nn.functional.normalize(torch.randn(6, 3, dtype=torch.float64), dim=1)
    who = torch.tensor([0, 0, 1, 1, 1, 1])
    logs = (z @ z.T / 0.5).fill_diagonal_(-torch.inf).log_softmax(1).fill_diagonal_(0.0)
    alike = ((who[:, None] == who) & ~torch.eye(6, dtype=torch.bool)).double()
    expected = -((alike * logs).sum(1) / alike.sum(1)).mean()
    torch.testing.assert_close(contrastive_loss(z, one_hot(who), 0.5), expected)


def test_contrastive_loss_of_nobody_known_is_zero_with_zero_gradients():
    z = torch.nn.functional.normalize(torch.randn(4, 3, dtype=torch.float64), dim=1)
    z.requires_grad_()
    loss = contrastive_loss(z, one_hot(torch.full((4,), -1)), 0.1)
    loss.backward()
    assert loss.detach() == 0 and not z.grad.any()


def test_gradients_of_the_contrastive_loss_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn((5, 3), generator=generator, dtype=torch.float64, requires_grad=True)
    share = torch.tensor([0.3, 0.6, 1.0, 0.0, 0.5], dtype=torch.float64)
    targets = mix(torch.tensor([0, 0, 1, 1, 2]), torch.tensor([1, 2, 2, 0, 0]), share)
    targets = SoftTargets(targets.classes, targets.masses.double())
    assert torch.autograd.gradcheck(lambda x: contrastive_loss(x, targets, 0.7), (z,))


def test_pictures_stay_what_they_are_without_changes():
    images = faces_in(5)
    torch.testing.assert_close(augmented(images), images, atol=2e-5, rtol=0)


def test_augmentation_depends_on_its_draws_and_stays_in_range():
    images, use = faces_in(6), AugmentationSettings(noise=0.5, contrast=2.0)

    def once(seed: int) -> torch.Tensor:
        draws = Draws(torch.Generator().manual_seed(seed), 6)
        return augment_faces({"images": images}, draws, settings=use)["images"]

    assert torch.equal(once(3), once(3)) and not torch.equal(once(3), once(4))
    assert once(3).abs().max() <= 1


def test_every_picture_is_mirrored_where_the_share_is_one():
    images = faces_in(3)
    torch.testing.assert_close(augmented(images, mirror=1.0), images.flip(3), atol=2e-5, rtol=0)


def test_grey_pictures_have_equal_channels_and_their_luma():
    images = faces_in(4)
    grey = augmented(images, grey=1.0)
    luma = torch.einsum("c,nchw->nhw", torch.tensor([0.299, 0.587, 0.114]), images)
    torch.testing.assert_close(grey, luma[:, None].expand_as(grey), atol=2e-5, rtol=0)


def test_turning_turns_and_does_not_skew():
    # A turn in a picture that is not square: a round spot stays round.
    down, across = torch.meshgrid(torch.arange(28.0), torch.arange(24.0), indexing="ij")
    disc = (-((down - 13.5) ** 2 + (across - 11.5) ** 2) / 60).exp() * 1.6 - 0.8
    turned = augmented(disc.expand(8, 3, 28, 24), turn=40.0)
    assert (turned - disc)[..., 6:-6, 6:-6].abs().max() < 0.02


def test_blur_keeps_the_mean_and_lowers_the_contrast():
    images = augmented(faces_in(16), noise=0.3)
    blurred = augmented(images, blur=1.0)
    torch.testing.assert_close(blurred.mean((1, 2, 3)), images.mean((1, 2, 3)), atol=0.02, rtol=0)
    assert (blurred.std((1, 2, 3)) < images.std((1, 2, 3))).all()


def test_erased_rectangles_cover_a_hundredth_to_a_quarter_in_one_level():
    images = faces_in(32)
    erased = augmented(images, erase=1.0)
    changed = ((erased - images).abs() > 1e-3).any(dim=1)
    share = changed.float().mean(dim=(1, 2))
    assert (share > 0.002).all() and (share < 0.3).all()
    for picture, where in zip(erased, changed, strict=True):
        assert picture[:, where].std() < 1e-5


def test_a_killed_training_ends_with_the_bytes_of_one_that_was_not(tmp_path):
    train_and_kill(CASES, tmp_path)
    for factory in CASES:
        check_lives(factory, tmp_path)


def test_two_processes_are_one(tmp_path):
    check_processes_agree(CASES, tmp_path)


def test_the_phase_trains_network_and_head():
    check_only_its_own(synthetic())


def test_a_few_steps_tell_people_of_noise_apart():
    use = settings(steps=60, batch=16)
    held_out = people_of_noise(5, 9, spread=0.8)
    task = RecognitionTask(use, people_of_noise(12, 1, spread=0.8), None, held_out)
    first = task.evaluate()["held_out_eer"]
    losses = [float(task.step()["loss/embedder"].detach()) for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    assert task.evaluate()["held_out_eer"] <= first


def test_domain_mixup_blends_pictures_and_targets_by_one_ratio_a_batch():
    task = both()
    images, targets = task.shown()
    own, real = task.batch("faces")["images"], task.batch("real")["images"]
    ratio = float(((images - real) * (own - real)).sum() / (own - real).square().sum())
    torch.testing.assert_close(images, torch.lerp(real, own, ratio), atol=1e-5, rtol=0)
    mass = (targets.masses * (targets.classes >= 6)).sum(dim=1)  # 6 synthetic people come first
    torch.testing.assert_close(mass, torch.full_like(mass, 1 - ratio), atol=1e-5, rtol=0)


def test_without_domain_mixup_both_are_shown_side_by_side():
    use = settings(domain_mixup=None)
    task = RecognitionTask(use, people_of_noise(6, 1), people_of_noise(3, 3))
    images, targets = task.shown()
    assert len(images) == len(targets) == 2 * use.batch
    assert targets.classes.max() >= 6
    assert math.isfinite(float(task.step()["loss/embedder"].detach()))


def test_people_of_two_softmaxes_do_not_compete_and_the_synthetic_ones_have_their_weight():
    task = apart()
    assert [len(task.networks[name].weight) for name in ("head", "real_head")] == [6, 3]
    descriptors, targets = task.described()
    half = len(targets) // 2
    parts = [(descriptors[k], SoftTargets(targets.classes[k], targets.masses[k]))
             for k in (slice(None, half), slice(half, None))]  # fmt: skip
    losses = []
    for head, (rows, own) in zip(("head", "real_head"), parts, strict=True):
        use = task.settings
        softmax = margin_loss(task.networks[head](rows), own, use.margin, 1.0)
        pairs = contrastive_loss(rows, own, use.contrastive.temperature)
        losses.append(softmax + use.contrastive.weight * pairs)
    task.scalars["steps"] = task.settings.margin.warm_up  # the margin has its whole strength
    loss, _ = task.loss((descriptors, targets))
    torch.testing.assert_close(loss, losses[1] + 0.5 * losses[0])
    assert targets.classes[half:].max() < 3  # real people are counted from 0


def test_synthetic_people_without_weight_teach_nothing():
    task = apart()
    task._synthetic_weight = 0.0
    task.loss(task.described())[0].backward()
    assert not task.networks["head"].weight.grad.any()
    assert task.networks["real_head"].weight.grad.any()


def test_whole_people_are_held_out_and_mixes_of_them_are_shown_nowhere():
    faces = people_of_noise(12, 1, mixes=3)
    share = next(
        s for s in np.arange(0.05, 0.9, 0.05) if is_held_out("0", s) or is_held_out("1", s)
    )
    training, held_out = split_people(faces, float(min(share + 0.3, 0.9)))
    assert held_out is not None
    assert not set(training.people.names) & set(held_out.people.names)
    names = {row.name for part in (training, held_out) for row in part.rows}
    assert len(names) == len(faces) - 3 and "mix" not in {row.person for row in training.rows}


def test_nobody_is_held_out_where_no_pair_could_be_measured():
    faces = people_of_noise(12, 1)
    alone = faces.subset(np.arange(len(faces)) % 4 == 0)  # one picture a person
    assert len(alone) == 12 and any(is_held_out(name, 0.5) for name in alone.people.names)
    assert split_people(alone, 0.5) == (alone, None)


def test_nobody_is_held_out_where_the_share_is_zero():
    faces = people_of_noise(4, 1)
    assert split_people(faces, 0.0) == (faces, None)


def test_people_of_two_sets_are_never_the_same():
    one, two = people_of_noise(3, 1), people_of_noise(3, 2)
    joined = gather_faces([one, two])
    assert len(joined.people.names) == 6 and len(joined) == len(one) + len(two)
    assert np.array_equal(joined.images[-1], two.images[-1])


def test_first_people_are_so_many():
    faces = people_of_noise(5, 1, mixes=2)
    assert len(first_people(faces, 2).people.names) == 2
    assert len(first_people(faces, 2)) == 2 * 4 + 2
    with pytest.raises(DatasetError, match="at least 6 people, got 5"):
        first_people(faces, 6)


def test_bad_sets_are_refused_in_a_sentence():
    faces = people_of_noise(3, 1)
    other = dataclasses.replace(faces, alignment=Alignment(56, 48))
    with pytest.raises(DatasetError, match=r"aligned as the first set.*Align it again"):
        gather_faces([faces, other])
    nameless = faces.of_rows(
        TINY, faces.images, tuple(dataclasses.replace(row, person="") for row in faces.rows)
    )
    with pytest.raises(DatasetError, match="no labels"):
        gather_faces([nameless], ["folder"])
    with pytest.raises(DatasetError, match="people left to learn from"):
        split_people(faces, 1.0 - 1e-12)
    with pytest.raises(DatasetError, match="pictures of two people or more, got 1"):
        RecognitionTask(settings(), people_of_noise(1, 1))


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingsError, match="mirror"):
        AugmentationSettings(mirror=1.5)
    with pytest.raises(SettingsError, match="multiple of the 2 pictures"):
        settings(batch=7)
    with pytest.raises(SettingsError, match="belongs to neither softmax"):
        settings(synthetic_weight=0.5)
    with pytest.raises(SettingsError, match="synthetic_weight"):
        settings(domain_mixup=None, synthetic_weight=-1.0)
    with pytest.raises(SettingsError, match="tiny, cpu, paper"):
        recognition_recipe("huge")  # type: ignore[arg-type]
