"""Fits, edits, morph targets and linear stand-ins of a factored geometry GAN."""

import dataclasses
import logging
import re

import numpy as np
import pytest
import torch
from torch import nn

from geomface.cli.main import main
from geomface.errors import MeshError, SettingsError, TopologyMismatchError
from geomface.gan.factored_geometry.codes import Codes, Factor, LatentSpec, draw_codes
from geomface.gan.factored_geometry.descent import even_axes
from geomface.gan.factored_geometry.editing import (
    edit_faces,
    interpolation_row,
    transfer_expression,
)
from geomface.gan.factored_geometry.encoder import (
    CodeEncoder,
    draw_masks,
    encode_faces,
    train_encoder,
    visible_texels,
)
from geomface.gan.factored_geometry.fitting import (
    PAPER_FIT,
    UNGUIDED_FIT,
    FitEnergy,
    FitSettings,
    fit_faces,
    read_vertices,
)
from geomface.gan.factored_geometry.linear import as_morphable
from geomface.gan.factored_geometry.model import FactoredModel, load_factored
from geomface.gan.factored_geometry.model_file import read_encoder, save_encoder, save_factored
from geomface.gan.factored_geometry.morph_targets import morph_targets_of, save_morph_targets
from geomface.gan.factored_geometry.networks import GeometryGenerator
from geomface.gan.factored_geometry.settings import NetworkSettings
from geomface.gan.factored_geometry.stored import store_template
from geomface.geometry_image.frame import GeometryFrame
from geomface.learning import System, TrainedModel, save_trained
from geomface.learning.errors import CheckpointError, DivergenceError
from geomface.learning.randomness import seeded_initialisation
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.mesh.io.glb_morphs import read_morph_glb
from geomface.model_files import load_model
from geomface.pipeline.face_models import load_face_model

CLASSES = ("neutral", "happy", "sad")
SPEC = LatentSpec((Factor("identity", 6), Factor("expression", 4, CLASSES)), noise=1)
SIDE, SIZE = 13, 16


def dome() -> Template:
    """A shallow dome of 13 x 13 vertices, 120 mm wide, whose uv fills the square."""
    line = np.linspace(0.0, 1.0, SIDE)
    u, v = (axis.ravel() for axis in np.meshgrid(line, line))
    x, y = 120.0 * (u - 0.5), 120.0 * (v - 0.5)
    points = np.stack([x, y, 40.0 - (x**2 + y**2) / 120.0], axis=1)
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    quads = corner[:, None] + [0, 1, SIDE + 1, SIDE]
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    mesh = Mesh(points, faces, uv=np.stack([u, v], axis=1), uv_faces=faces, name="dome")
    marks = LandmarkEmbedding.on_vertices(np.array([0, SIDE * SIDE // 2]), scheme="two points")
    return Template(mesh, marks, {"middle": np.array([SIDE * SIDE // 2])})


def model_of(generator: nn.Module) -> FactoredModel:
    template = dome()
    frame = GeometryFrame(template.mesh, SIZE, 20.0)
    fixed = {
        "identity": np.zeros((0, 6), np.float32),
        "expression": np.random.default_rng(5).standard_normal((3, 4)).astype(np.float32),
    }
    config = {
        "networks": dataclasses.asdict(NetworkSettings(SIZE, 8, 8)),
        "factors": [dataclasses.asdict(factor) for factor in SPEC.factors],
        "noise": SPEC.noise,
        "deviation": 0.2,
        "limit": frame.limit,
        "alpha": 1.2,
        "template": store_template(template)[1],
    }
    generator = generator.eval().requires_grad_(False)
    return FactoredModel(SPEC, generator, frame, template, fixed, config=config)


@pytest.fixture(scope="module")
def model() -> FactoredModel:
    """A generator of random weights, with the statistics of its own batches."""
    with seeded_initialisation(3, "generator"):
        generator = GeometryGenerator(NetworkSettings(SIZE, 8, 8), SPEC.size, 0.2)
        for _ in range(30):
            generator(torch.randn(64, SPEC.size))
        with torch.no_grad():  # faces that differ by millimetres
            generator.layers[-1].weight *= 100.0
    return model_of(generator)


class LinearGenerator(nn.Module):
    """Smooth images that are linear in the code: what a linear stand-in can say exactly."""

    def __init__(self) -> None:
        super().__init__()
        line = torch.linspace(-1.0, 1.0, SIZE)
        y, x = torch.meshgrid(line, line, indexing="ij")
        waves = [torch.cos(a * x + b * y + a * b) for a in range(4) for b in range(3)]
        basis = torch.stack([waves[k % 12].roll(k, 0) for k in range(3 * SPEC.size)])
        self.basis = nn.Parameter(0.03 * basis.reshape(SPEC.size, 3, SIZE, SIZE))

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nd,dchw->nchw", codes, self.basis)


def in_double(model: FactoredModel) -> FactoredModel:
    generator = GeometryGenerator(NetworkSettings(SIZE, 8, 8), SPEC.size, 0.2).double()
    generator.load_state_dict(model.generator.state_dict())
    return model_of(generator)


def faces_of(model: FactoredModel, count: int, seed: int) -> tuple[Codes, np.ndarray]:
    codes = draw_codes(SPEC, count, seed=seed)
    return codes, read_vertices(model, codes, "bilinear")


def left_half(model: FactoredModel) -> np.ndarray:
    return model.frame.template.vertices[:, 0] < 10.0


# --- the energy ---------------------------------------------------------------------------------


def test_energy_is_its_formula(model: FactoredModel) -> None:
    _, vertices = faces_of(model, 3, seed=1)
    codes, others = faces_of(model, 3, seed=2)
    visible = np.random.default_rng(1).random(vertices.shape[:2]) < 0.6
    energy = FitEnergy(model.generator, model.frame, prior=0.01)
    found = energy(torch.from_numpy(codes.values), *energy.targets(vertices, visible))
    distances = np.linalg.norm(others - vertices, axis=2)
    wanted = [
        d[seen].mean() + 0.01 * (z**2).sum()
        for d, seen, z in zip(distances, visible, codes.values, strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5)


def test_gradient_of_the_energy_by_finite_differences(model: FactoredModel) -> None:
    double = in_double(model)
    _, vertices = faces_of(double, 1, seed=1)
    visible = left_half(model)[None]
    energy = FitEnergy(double.generator, double.frame, prior=0.01)
    targets = energy.targets(vertices, visible)
    code = torch.from_numpy(draw_codes(SPEC, 1, seed=7).values).double().requires_grad_()
    (slope,) = torch.autograd.grad(energy(code, *targets).sum(), code)
    step = 1e-6
    for k in range(SPEC.size):
        shift = torch.zeros_like(code)
        shift[0, k] = step
        with torch.no_grad():
            difference = energy(code + shift, *targets) - energy(code - shift, *targets)
        assert float(difference) / (2 * step) == pytest.approx(float(slope[0, k]), abs=1e-6)


# --- fits ---------------------------------------------------------------------------------------

FAST = FitSettings(
    steps=100, lr=0.1, last_lr=0.005, restarts=3, start="random", readout="bilinear", prior=1e-6
)


def test_a_face_of_the_generator_is_found_again(model: FactoredModel) -> None:
    codes, vertices = faces_of(model, 4, seed=11)
    fit = fit_faces(model, vertices, settings=dataclasses.replace(FAST, steps=400))
    spread = np.linalg.norm(vertices - vertices.mean(axis=0), axis=2).mean()
    assert fit.errors.max() < 0.02 * spread
    assert fit.energy.max() < 0.02 * spread + 1e-4
    np.testing.assert_allclose(fit.vertices, read_vertices(model, fit.codes, "bilinear"))


def test_the_unseen_half_follows_from_the_seen_one(model: FactoredModel) -> None:
    _, vertices = faces_of(model, 4, seed=12)
    seen = left_half(model)
    broken = vertices.copy()
    broken[:, ~seen] = np.nan  # what is not visible may hold anything
    settings = dataclasses.replace(FAST, steps=300)
    fit = fit_faces(model, broken, visible=seen, settings=settings)
    hidden = np.linalg.norm(fit.vertices - vertices, axis=2)[:, ~seen].mean()
    mean = np.linalg.norm(model.frame.template.vertices - vertices, axis=2)[:, ~seen].mean()
    assert hidden < 0.2 * mean
    assert fit.errors.max() < 0.05 * mean


def test_a_prior_draws_codes_to_zero(model: FactoredModel) -> None:
    _, vertices = faces_of(model, 2, seed=13)
    sizes = [
        np.square(
            fit_faces(model, vertices, settings=dataclasses.replace(FAST, prior=p)).codes.values
        ).sum()
        for p in (1e-6, 0.05, 10.0)
    ]
    assert sizes[0] > sizes[1] > sizes[2]
    assert sizes[2] < 1e-2


def test_more_restarts_are_never_worse(model: FactoredModel) -> None:
    double = in_double(model)
    _, vertices = faces_of(double, 3, seed=14)
    energies = [
        fit_faces(double, vertices, settings=dataclasses.replace(FAST, steps=40, restarts=n)).energy
        for n in (1, 2, 4)
    ]
    assert (energies[1] <= energies[0] + 1e-12).all()
    assert (energies[2] <= energies[1] + 1e-12).all()
    assert energies[2].sum() < energies[0].sum()


def test_a_batch_equals_one_by_one(model: FactoredModel, monkeypatch: pytest.MonkeyPatch) -> None:
    double = in_double(model)
    _, vertices = faces_of(double, 5, seed=15)
    settings = dataclasses.replace(FAST, steps=25)
    visible = np.ones(vertices.shape[:2], bool)
    visible[1::2] = left_half(model)
    whole = fit_faces(double, vertices, visible=visible, settings=settings)
    monkeypatch.setattr("geomface.gan.factored_geometry.fitting.ROWS", 3)  # one face a block
    for k in range(5):
        alone = fit_faces(double, vertices[k], visible=visible[k], settings=settings)
        np.testing.assert_allclose(alone.codes.values[0], whole.codes.values[k], atol=1e-5)
        np.testing.assert_allclose(alone.energy[0], whole.energy[k], rtol=1e-9)
    blocks = fit_faces(double, vertices, visible=visible, settings=settings)
    np.testing.assert_allclose(blocks.energy, whole.energy, rtol=1e-9)


def test_without_an_encoder_fits_begin_at_zero(model: FactoredModel) -> None:
    _, vertices = faces_of(model, 3, seed=20)
    fit = fit_faces(model, vertices)
    plain = [
        fit_faces(model, vertices, settings=FitSettings(start="zero", even=False, seed=k, steps=9))
        for k in (0, 1)
    ]
    np.testing.assert_array_equal(plain[0].codes.values, plain[1].codes.values)
    at_zero = FitEnergy(model.generator, model.frame, UNGUIDED_FIT.prior)
    everything = np.ones(vertices.shape[:2], bool)
    start = at_zero(torch.zeros(3, SPEC.size), *at_zero.targets(vertices, everything))
    assert (fit.energy < 0.2 * start.numpy()).all()


class Breaking(nn.Module):
    """A generator that gives NaN for the first calls' first row."""

    def __init__(self, network: nn.Module, times: int) -> None:
        super().__init__()
        self.network, self.times = network, times

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        images = self.network(codes)
        if codes.requires_grad and self.times > 0:
            self.times -= 1
            spoiled = torch.zeros(len(images), 1, 1, 1)
            spoiled[0] = torch.nan
            images = images + spoiled
        return images


def test_a_diverged_start_is_begun_anew(model: FactoredModel) -> None:
    _, vertices = faces_of(model, 2, seed=16)
    settings = dataclasses.replace(FAST, restarts=1)
    broken = dataclasses.replace(model, generator=Breaking(model.generator, 2))
    fit = fit_faces(broken, vertices, settings=settings)
    sound = fit_faces(model, vertices, settings=settings)
    assert fit.restarted == 2 + sound.restarted
    np.testing.assert_allclose(fit.energy[1], sound.energy[1], rtol=1e-4)  # the other row
    assert np.isfinite(fit.energy).all()


def test_a_fit_without_any_finite_energy_is_an_error(model: FactoredModel) -> None:
    broken = dataclasses.replace(model, generator=Breaking(model.generator, 10**9))
    _, vertices = faces_of(model, 1, seed=16)
    nothing = dataclasses.replace(FAST, steps=3, restarts=1)

    class Never(Breaking):
        def forward(self, codes: torch.Tensor) -> torch.Tensor:
            return self.network(codes) * torch.nan

    broken = dataclasses.replace(model, generator=Never(model.generator, 0))
    with pytest.raises(DivergenceError, match="lower lr"):
        fit_faces(broken, vertices, settings=nothing)


def test_even_axes_even_out_a_generator() -> None:
    generator = LinearGenerator()
    with torch.no_grad():
        generator.basis *= torch.logspace(-2, 1, SPEC.size)[:, None, None, None]
        axes = even_axes(generator, torch.zeros(2, SPEC.size))
        steps = generator(axes.T).flatten(1)
    gram = steps @ steps.T
    across = (gram - torch.diag(gram.diagonal())).abs().max()
    assert float(across) < 1e-3 * float(gram.diagonal().max())
    sizes = {}
    for name, rows in (("codes", generator.basis.flatten(1)), ("even", steps)):
        sizes[name] = torch.linalg.vector_norm(rows.detach(), dim=1)
    ratio = {name: float(size.max() / size.median()) for name, size in sizes.items()}
    assert ratio["even"] < 0.5 * ratio["codes"]


# --- bad input ----------------------------------------------------------------------------------


def test_metres_are_converted_with_a_note(
    model: FactoredModel, caplog: pytest.LogCaptureFixture
) -> None:
    _, vertices = faces_of(model, 1, seed=17)
    mesh = model.template.mesh
    quick = dataclasses.replace(FAST, steps=5)
    wanted = fit_faces(model, vertices, settings=quick).codes.values
    declared = mesh.replace(vertices=vertices[0] / 1000, unit="m", name="scan.obj")
    undeclared = mesh.replace(vertices=vertices[0] / 1000, name="scan.obj")
    for face in (declared, undeclared, vertices / 1000):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found = fit_faces(model, face, settings=quick)
        assert re.search("(multiplied by|times) 1000", caplog.text)
        np.testing.assert_allclose(found.codes.values, wanted, atol=1e-4)


def test_bad_faces_are_refused_in_words(model: FactoredModel) -> None:
    _, vertices = faces_of(model, 2, seed=18)
    mesh = model.template.mesh
    other = Mesh(mesh.vertices, mesh.faces[:-1], name="other")
    bad = vertices.copy()
    bad[1, 3] = np.nan
    cases = [
        (TopologyMismatchError, "topology", other, None),
        (TopologyMismatchError, "faces", vertices[:, :-1], None),
        (MeshError, "NaN", bad, None),
        (MeshError, "none", vertices[:0], None),
        (MeshError, "seen", vertices, np.zeros(SIDE * SIDE, bool)),
        (MeshError, "visible", vertices, np.ones(7, bool)),
        (MeshError, "fits no unit", 1e8 * vertices, None),
        (MeshError, "pose", vertices + 100.0, None),
    ]
    for error, words, faces, visible in cases:
        with pytest.raises(error, match=words):
            fit_faces(model, faces, visible=visible, settings=FAST)
    with pytest.raises(SettingsError, match="no encoder"):
        fit_faces(model, vertices, settings=FitSettings(steps=2))
    for wrong in ({"steps": 0}, {"lr": -1.0}, {"prior": -1.0}, {"start": "there"}):
        with pytest.raises(SettingsError):
            FitSettings(**wrong)


# --- the encoder --------------------------------------------------------------------------------


def test_the_encoder_is_deterministic_and_learns(model: FactoredModel) -> None:
    first, second = (train_encoder(model, steps=3, seed=4) for _ in range(2))
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, two)
    encoder = train_encoder(model, steps=150, width=8, seed=4)
    guided = dataclasses.replace(model, encoder=encoder)
    codes, vertices = faces_of(model, 64, seed=19)
    everything = np.ones(vertices.shape[:2], bool)
    guess = encode_faces(guided, vertices, everything).numpy()
    assert np.square(guess - codes.values).mean() < 0.6  # 1 by no encoder at all
    half = everything & left_half(model)
    broken = np.where(half[:, :, None], vertices, model.frame.template.vertices)
    partial = encode_faces(guided, broken, half).numpy()
    assert np.square(partial - codes.values).mean() < 0.85
    few = FitSettings(steps=20, readout="bilinear")
    errors = {
        start: fit_faces(guided, vertices, settings=dataclasses.replace(few, start=start)).errors
        for start in ("encoder", "random")
    }
    assert errors["encoder"].mean() < 0.6 * errors["random"].mean()
    assert fit_faces(guided, vertices).energy.mean() < errors["encoder"].mean()  # the default


def test_masks_hide_one_piece_and_half_of_them_nothing() -> None:
    masks = draw_masks(40, 16, torch.Generator().manual_seed(1))
    shares = 1.0 - masks.flatten(1).mean(dim=1)
    assert masks.shape == (40, 1, 16, 16)
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    assert (shares[::2] == 0).all()
    assert 0.2 < float(shares[1::2].mean()) < 0.4
    assert float(shares.max()) < 0.65


def test_texels_are_visible_when_their_vertices_are(model: FactoredModel) -> None:
    visible = left_half(model)[None]
    masks = visible_texels(model.frame, np.concatenate([visible, ~visible, visible | True]))
    assert masks.shape == (3, 1, SIZE, SIZE)
    assert (masks[2] == 1).all()
    assert (masks[0] * masks[1] == 0).all()
    assert masks[0, 0, :, 0].all() and not masks[0, 0, :, -1].any()


# --- edits --------------------------------------------------------------------------------------


def test_algebra_of_codes(model: FactoredModel) -> None:
    one, two = draw_codes(SPEC, 2, seed=1)[:1], draw_codes(SPEC, 2, seed=1)[1:]
    swapped = one.replace(expression=two.part("expression"))
    back = swapped.replace(expression=one.part("expression"))
    np.testing.assert_array_equal(back.values, one.values)
    row = interpolation_row(one, two, 5, parts=("expression",))
    np.testing.assert_array_equal(row.values[0], one.values[0])
    np.testing.assert_allclose(row.values[4], swapped.values[0])
    np.testing.assert_allclose(row.values[2], 0.5 * (row.values[0] + row.values[4]), atol=1e-6)
    assert (row.part("identity") == one.part("identity")).all()
    with pytest.raises(SettingsError, match="steps"):
        interpolation_row(one, two, 1)


def test_edits_keep_what_the_generator_cannot_say(model: FactoredModel) -> None:
    codes = draw_codes(SPEC, 2, seed=2)
    detail = np.random.default_rng(1).normal(0, 0.3, model.vertices(codes).shape)
    faces = model.vertices(codes) + detail
    np.testing.assert_allclose(edit_faces(model, codes, codes, faces), faces, atol=1e-9)
    other = codes.replace(expression=codes.part("expression")[::-1])
    edited = edit_faces(model, codes, other, faces)
    np.testing.assert_allclose(edited, model.vertices(other) + detail, atol=1e-9)


def test_an_expression_goes_from_one_face_to_another(model: FactoredModel) -> None:
    settings = dataclasses.replace(FAST, steps=400, restarts=4, readout="laplacian")
    codes = draw_codes(SPEC, 2, seed=3).replace(noise=np.zeros(1))
    source, target = model.template.mesh, model.template.mesh
    shapes = read_vertices(model, codes, "bilinear")
    source = source.replace(vertices=shapes[0])
    target = target.replace(vertices=shapes[1] / 1000, unit="m", name="scan")
    moved = codes[1:].replace(expression=codes[:1].part("expression"))
    wanted = edit_faces(model, codes[1:], moved, shapes[1:])[0]
    found = transfer_expression(model, source, target, settings=settings)
    assert found.unit == "mm" and found.uv is not None and "scan" in found.name
    far = np.linalg.norm(shapes[1] - wanted, axis=1).mean()
    assert np.linalg.norm(found.vertices - wanted, axis=1).mean() < 0.25 * far
    same = transfer_expression(model, target, target, settings=settings)
    np.testing.assert_allclose(same.vertices, shapes[1], atol=1e-6)  # detail is kept: exact
    plain = transfer_expression(model, target, target, settings=settings, keep_detail=False)
    assert np.abs(plain.vertices - shapes[1]).max() > 1e-3
    with pytest.raises(SettingsError, match="age"):
        transfer_expression(model, source, target, factor="age", settings=settings)
    with pytest.raises(MeshError, match="source"):
        transfer_expression(model, shapes, target, settings=settings)


# --- morph targets and the linear stand-in -------------------------------------------------------


def test_morph_targets_are_read_back(model: FactoredModel, tmp_path) -> None:
    person = model.draw(1, seed=6, expression="neutral")
    save_morph_targets(tmp_path / "person.glb", model, person, ("happy", "sad"))
    mesh, targets, _ = read_morph_glb(tmp_path / "person.glb")
    np.testing.assert_array_equal(mesh.vertices, model.vertices(person)[0])
    assert list(targets) == ["happy", "sad"] and mesh.uv is not None
    for name, delta in targets.items():
        smiling = person.replace(expression=model.code("expression", name))
        np.testing.assert_allclose(mesh.vertices + delta, model.vertices(smiling)[0], atol=1e-4)
    own = morph_targets_of(model, person, {"grin": 2.0 * model.code("expression", "happy")})
    assert list(own) == ["grin"]
    assert np.abs(morph_targets_of(model, person)["neutral"]).max() < 1e-6
    for wrong in (("angry",), ()):
        with pytest.raises(SettingsError):
            morph_targets_of(model, person, wrong)
    with pytest.raises(SettingsError, match="one person"):
        morph_targets_of(model, draw_codes(SPEC, 2))


def test_a_linear_generator_has_an_exact_stand_in() -> None:
    model = model_of(LinearGenerator())
    linear = as_morphable(model, identities=7, samples=60, seed=2)
    assert linear.expression is not None and linear.expression.names == ("happy", "sad")
    person = model.draw(5, seed=9, expression="neutral")
    faces = model.vertices(person)
    np.testing.assert_allclose(linear.shape.project(faces), faces, atol=1e-3)
    smiling = person.replace(expression=model.code("expression", "happy"))
    coefficients = linear.shape.coefficients(faces[0])
    np.testing.assert_allclose(
        linear.vertices(coefficients, {"happy": 1.0}), model.vertices(smiling)[0], atol=1e-3
    )
    assert linear.template.landmarks is not None and "middle" in linear.template.regions
    assert linear.mesh.uv is not None and "unexplained" in linear.card
    with pytest.raises(SettingsError, match="fewer"):
        as_morphable(model, identities=60, samples=60)
    with pytest.raises(SettingsError, match="classes"):
        as_morphable(model, factor="identity")


def test_the_paper_fits_from_random_starts() -> None:
    assert (PAPER_FIT.steps, PAPER_FIT.restarts, PAPER_FIT.start) == (500, 4, "random")
    assert (PAPER_FIT.betas, PAPER_FIT.even) == ((0.9, 0.999), False)  # Adam as it is
    assert CodeEncoder(16, 5, 4).settings == {"size": 16, "latent": 5, "width": 4}


# --- files and commands --------------------------------------------------------------------------


def test_a_model_file_holds_all_that_use_takes(model: FactoredModel, tmp_path) -> None:
    encoder = train_encoder(model, steps=2, width=4)
    whole = dataclasses.replace(model, encoder=encoder, step=7, alpha=3.0)
    codes, faces = faces_of(model, 3, seed=21)
    for precision, tolerance in (("float32", 0.0), ("float16", 0.02)):
        path = tmp_path / f"{precision}.safetensors"
        save_factored(path, whole, precision=precision)
        again = load_factored(path)
        assert (again.spec, again.step, again.alpha) == (whole.spec, 7, 3.0)
        np.testing.assert_allclose(again.vertices(codes), whole.vertices(codes), atol=tolerance)
        np.testing.assert_array_equal(again.template.mesh.vertices, model.template.mesh.vertices)
        np.testing.assert_array_equal(again.fixed["expression"], model.fixed["expression"])
        assert again.template.landmarks is not None and "middle" in again.template.regions
        seen = np.ones(faces.shape[:2], bool)
        np.testing.assert_allclose(
            encode_faces(again, faces, seen), encode_faces(whole, faces, seen), atol=0.02
        )


def test_an_encoder_lies_beside_its_run(
    model: FactoredModel, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_encoder(tmp_path, model.generator) is None
    with pytest.raises(SettingsError, match="encoder"):
        save_encoder(tmp_path, model)
    trained = dataclasses.replace(model, encoder=train_encoder(model, steps=2, width=4))
    save_encoder(tmp_path, trained)
    again = read_encoder(tmp_path, model.generator)
    assert again is not None and trained.encoder is not None
    for key, tensor in trained.encoder.state_dict().items():
        assert torch.equal(again.state_dict()[key], tensor)
    with seeded_initialisation(8, "generator"):
        later = GeometryGenerator(NetworkSettings(SIZE, 8, 8), SPEC.size, 0.2)
    assert read_encoder(tmp_path, later) is None
    assert "train the encoder again" in caplog.text


def test_commands_take_a_trained_model_for_a_face_model(
    model: FactoredModel, tmp_path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.setattr("geomface.gan.factored_geometry.linear.FRESH", 8)
    monkeypatch.setattr("geomface.gan.factored_geometry.linear.SAMPLES", 50)
    path = tmp_path / "faces.safetensors"
    save_factored(path, model)
    assert main(["model", "show", "--model", str(path)]) == 0
    told = capsys.readouterr().out
    assert "happy" in told and "unexplained" in told and "2 landmarks" in told
    export = ["model", "export", "--model", str(path), "--out"]
    assert main([*export, str(tmp_path / "faces.glb")]) == 0
    assert main([*export, str(tmp_path / "linear.safetensors")]) == 0
    assert load_model(tmp_path / "linear.safetensors").expression.names == ("happy", "sad")
    other = TrainedModel(path, 1, {}, {}, {}, {"generator": {"w": np.zeros(1)}})
    save_trained(tmp_path / "other.safetensors", other, system=System("something_else"))
    with pytest.raises(CheckpointError, match="something_else"):
        load_face_model(tmp_path / "other.safetensors")
    assert main(["model", "show", "--model", str(tmp_path / "other.safetensors")]) == 1
    assert "something_else" in capsys.readouterr().err
