"""The renderer as a whole: one pass, all outputs, gradients, batches, and what it refuses."""

import dataclasses

import numpy as np
import pytest
import torch
from render_scenes import flat_camera, polygon, sphere, star

from geomface.errors import LandmarkError, MeshError, MissingBackendError, SettingsError
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.rendering.differentiable import (
    OUTPUTS,
    DirectionalLight,
    PointLight,
    Renderer,
    RenderSettings,
    SphericalHarmonicsLight,
    look_at_face,
    render,
    render_topology,
)
from geomface.rendering.differentiable.topology import face_neighbours
from geomface.rendering.visibility import BACKENDS

SIZE = 40
MESH = sphere(16)
FRONT, BACK = int(MESH.vertices[:, 2].argmax()), int(MESH.vertices[:, 2].argmin())
TEMPLATE = Template(
    MESH,
    LandmarkEmbedding.on_vertices(np.array([FRONT, BACK])),
    {
        "all": np.arange(len(MESH.vertices)),
        "upper": np.flatnonzero(MESH.vertices[:, 1] > 0),
        "cap": np.flatnonzero(MESH.vertices[:, 1] > 50),
    },
)


def inputs(dtype: torch.dtype = torch.float64, batch: int = 3) -> dict:
    """Shapes, cameras, textures, lights and backgrounds of a batch, all different."""
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.rand(*shape, generator=generator, dtype=torch.float64).to(dtype)  # noqa: E731
    shape = torch.tensor(MESH.vertices[None]).to(dtype)
    # Sizes of stretched spheres that differ in one image from the next.
    return {
        "vertices": shape * (0.8 + 0.3 * draw(batch, 1, 3)),
        "camera": look_at_face(
            SIZE, SIZE, yaw=60 * draw(batch) - 30, distance=500, field_of_view=24, dtype=dtype
        ),
        "texture": draw(batch, 11, 9, 3),
        "light": [
            SphericalHarmonicsLight(0.4 * draw(batch, 9, 3)),
            PointLight(
                300 * draw(batch, 3),
                draw(batch, 3),
                draw(batch, 3),
                draw(batch, 3),
                9 * draw(batch),
            ),
        ],
        "background": draw(batch, SIZE, SIZE, 3),
    }


def part(values: dict, image: int) -> dict:
    """The same inputs for one image alone."""

    def pick(value):
        if isinstance(value, torch.Tensor):
            return value[image : image + 1] if len(value) > 1 else value
        if isinstance(value, list):
            return [pick(item) for item in value]
        names = [field.name for field in dataclasses.fields(value)]
        return dataclasses.replace(value, **{name: pick(getattr(value, name)) for name in names})

    return {name: pick(value) for name, value in values.items()}


def settings_of(**changes) -> RenderSettings:
    return RenderSettings(**{"height": SIZE, "width": SIZE, **changes})


RENDERER = Renderer(TEMPLATE, settings_of())


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_image_does_not_depend_on_its_batch(dtype, compiled):
    """To the bit, for every output and for the gradient of the shape."""
    renderer = Renderer(TEMPLATE, settings_of(compiled=compiled))
    values = inputs(dtype)
    values["vertices"].requires_grad_()
    together = renderer.render(**values, outputs=OUTPUTS)
    (gradient,) = torch.autograd.grad((together.rgb**2).sum(), values["vertices"])
    for image in range(3):
        single = part(values, image)
        alone = renderer.render(**single, outputs=OUTPUTS)
        assert set(alone.images) == {*OUTPUTS, "landmarks_visible"}
        for name, picture in together.images.items():
            assert torch.equal(picture[image], alone[name][0]), name
        (single_gradient,) = torch.autograd.grad((alone.rgb**2).sum(), single["vertices"])
        assert torch.equal(gradient[image], single_gradient[0])


@pytest.mark.parametrize("backend", ["numba", "torch"])
def test_the_backend_does_not_change_a_bit(backend):
    expected = RENDERER.render(**inputs(), outputs=OUTPUTS)
    found = Renderer(TEMPLATE, settings_of(backend=backend)).render(**inputs(), outputs=OUTPUTS)
    assert found.backend.name == backend
    for name, picture in expected.images.items():
        assert torch.equal(picture, found[name]), name


def test_compiled_is_plain_up_to_rounding():
    values = inputs()
    plain = Renderer(TEMPLATE, settings_of(compiled=False)).render(**values, outputs=OUTPUTS)
    compiled = RENDERER.render(**values, outputs=OUTPUTS)
    for name, picture in plain.images.items():
        assert (picture.double() - compiled[name].double()).abs().max() < 1e-9, name


@pytest.mark.gpu
def test_cuda_draws_the_same_pictures():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")

    def moved(value):
        if isinstance(value, list):
            return [moved(item) for item in value]
        return value.to(torch.zeros((), dtype=torch.float64, device="cuda"))

    values = inputs()
    expected = RENDERER.render(**values, outputs=OUTPUTS)
    renderer = Renderer(TEMPLATE, settings_of(backend="torch"), device="cuda")
    found = renderer.render(
        **{name: moved(value) for name, value in values.items()}, outputs=OUTPUTS
    )
    for name, picture in expected.images.items():
        assert (picture.double() - found[name].cpu().double()).abs().max() < 1e-9, name


def test_what_is_shared_is_as_if_repeated():
    values = part(inputs(), 0)
    values["camera"] = inputs()["camera"]
    shared = RENDERER.render(**values).rgb
    values["vertices"] = values["vertices"].repeat(3, 1, 1)
    values["texture"] = values["texture"].repeat(3, 1, 1, 1)
    values["background"] = values["background"].repeat(3, 1, 1, 1)
    assert torch.equal(shared, RENDERER.render(**values).rgb)


def test_the_outputs_of_one_pass_fit_together():
    values = part(inputs(), 1)
    result = RENDERER.render(**values, outputs=OUTPUTS)
    covered = result.face_id >= 0
    camera = values["camera"]
    seen = camera.project(result.position[covered][None])[0]
    rows, columns = torch.nonzero(covered[0], as_tuple=True)
    assert (seen[:, 0] - columns - 0.5).abs().max() < 1e-9
    assert (seen[:, 1] - rows - 0.5).abs().max() < 1e-9
    assert (seen[:, 2] - result.depth[covered]).abs().max() < 1e-9
    assert (result.normals[covered].norm(dim=-1) - 1).abs().max() < 1e-12
    # Outside the surface: nothing, and the background as it was given.
    for name in ("depth", "normals", "position", "uv", "albedo", "shading", "region"):
        assert (result[name][~covered] == 0).all(), name
    untouched = result.alpha == 0
    difference = (result.rgb - values["background"])[untouched].abs()
    # Background pixels beside a silhouette go through the sRGB curve and back; all others do not.
    assert difference.max() < 1e-7
    assert (difference == 0).double().mean() > 0.9
    inner = result.alpha == 1
    assert inner.sum() > 0.8 * covered.sum()
    # Normals of a stretched sphere: the gradient of its implicit form.
    scale = values["vertices"][0].abs().amax(0)
    gradient = result.position[covered] / scale**2
    cosine = (gradient / gradient.norm(dim=-1, keepdim=True) * result.normals[covered]).sum(-1)
    assert cosine.min() > 0.99


def test_the_color_is_albedo_times_light():
    values = part(inputs(), 1)
    values["light"] = values["light"][0]
    linear = Renderer(TEMPLATE, settings_of(color_space="linear"))
    result = linear.render(**values, outputs=("rgb", "albedo", "shading", "alpha"))
    inner = result.alpha == 1
    assert (result.rgb - result.albedo * result.shading)[inner].abs().max() < 1e-12
    # Without light the albedo itself is seen, also through the sRGB curve and back.
    values["light"] = None
    for renderer in (linear, RENDERER):
        result = renderer.render(**values, outputs=("rgb", "albedo", "shading", "alpha"))
        assert (result.rgb - result.albedo)[result.alpha == 1].abs().max() < 1e-7
        assert (result.shading[result.alpha == 1] == 1).all()


def test_without_background_the_color_is_premultiplied():
    values = part(inputs(), 1)
    values.update(background=None, light=None, texture=None)
    white = torch.ones(1, len(MESH.vertices), 3, dtype=torch.float64)
    renderer = Renderer(TEMPLATE, settings_of(color_space="linear"))
    result = renderer.render(**{**values, "colors": white, "texture": None})
    assert (result.rgb - result.alpha[..., None]).abs().max() < 1e-12
    # A one-colour background is the same picture of that colour.
    flat = torch.tensor([[0.2, 0.5, 0.7]], dtype=torch.float64)
    one = RENDERER.render(**{**values, "colors": white, "background": flat}).rgb
    whole = flat[:, None, None].expand(1, SIZE, SIZE, 3)
    assert torch.equal(one, RENDERER.render(**{**values, "colors": white, "background": whole}).rgb)


@pytest.mark.parametrize("weak", [False, True])
def test_interior_gradients_are_exact(weak):
    """Central differences on pixels whose triangle stays, to 1e-6 of the derivative."""
    values = part(inputs(), 2)
    values["camera"] = look_at_face(
        SIZE, SIZE, yaw=20.0, distance=500, field_of_view=24, weak=weak, dtype=torch.float64
    )
    generator = torch.Generator().manual_seed(7)
    colors = torch.rand(1, len(MESH.vertices), 3, generator=generator, dtype=torch.float64)
    values.update(texture=None, colors=colors, background=None)
    renderer = Renderer(TEMPLATE, settings_of(antialias="none"))
    direction = torch.randn(values["vertices"].shape, generator=generator, dtype=torch.float64)
    step = 1e-5

    def draw(shape: torch.Tensor):
        result = renderer.render(**{**values, "vertices": shape}, outputs=OUTPUTS)
        smooth = ("rgb", "depth", "normals", "position", "uv", "albedo", "shading")
        channels = [result[n] if result[n].ndim == 4 else result[n][..., None] for n in smooth]
        return torch.cat(channels, -1)[0], result.face_id[0]

    start = values["vertices"].requires_grad_()
    ahead, ids_ahead = draw(start.detach() + step * direction)
    back, ids_back = draw(start.detach() - step * direction)
    here, ids = draw(start)
    stays = (ids == ids_ahead) & (ids == ids_back) & (ids >= 0)
    assert stays.sum() > 0.98 * (ids >= 0).sum()
    numeric = ((ahead - back) / (2 * step))[stays]
    mix = torch.randn(here[stays].shape, generator=generator, dtype=torch.float64)
    for channel in range(here.shape[-1]):
        energy = (here[stays][:, channel] * mix[:, channel]).sum()
        (gradient,) = torch.autograd.grad(energy, start, retain_graph=True)
        expected = (numeric[:, channel] * mix[:, channel]).sum()
        # Positions do not move sideways under a parallel camera: a derivative of zero.
        scale = max(abs(float(expected)), 0.1)
        assert abs(float((gradient * direction).sum() - expected)) < 1e-6 * scale


def test_every_input_has_an_exact_gradient():
    """A small scene through torch's own check: shape, texture, light, camera, background."""
    mesh = polygon(star(np.random.default_rng(3), 5, 3, 5))
    mesh = mesh.replace(uv=0.5 + 0.09 * mesh.vertices[:, :2], uv_faces=mesh.faces)
    renderer = Renderer(mesh, RenderSettings(height=10, width=10))
    generator = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.rand(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    vertices = torch.tensor(mesh.vertices[None])
    vertices[..., 2] = 0.5 * draw(1, len(mesh.vertices))

    def picture(shape, texture, light, place, background, shift):
        camera = flat_camera(10)
        camera = dataclasses.replace(camera, principal=camera.principal + shift)
        lights = [
            SphericalHarmonicsLight(light),
            DirectionalLight(place, 0.3 * place.abs(), place.abs(), place.abs(), 5 * place[:, 0]),
        ]
        return renderer.render(
            shape, camera, texture=texture, light=lights, background=background
        ).rgb

    arguments = (
        vertices,
        draw(1, 3, 4, 3),
        draw(1, 9, 3),
        0.2 + draw(1, 3),
        draw(1, 3),
        draw(1, 2),
    )
    assert torch.autograd.gradcheck(
        picture, tuple(item.requires_grad_() for item in arguments), eps=1e-7, atol=1e-5
    )


def test_landmarks_in_front_are_visible_and_those_behind_are_not():
    values = part(inputs(), 0)
    values["camera"] = look_at_face(SIZE, SIZE, distance=500, field_of_view=24, dtype=torch.float64)
    result = RENDERER.render(**values, outputs=("landmarks",))
    assert result.landmarks_visible.tolist() == [[True, False]]
    expected = values["camera"].project(values["vertices"])[:, [FRONT, BACK], :2]
    assert torch.equal(result.landmarks, expected)
    behind = look_at_face(SIZE, SIZE, yaw=180, distance=500, field_of_view=24, dtype=torch.float64)
    result = RENDERER.render(**{**values, "camera": behind}, outputs=("landmarks",))
    assert result.landmarks_visible.tolist() == [[False, True]]
    aside = dataclasses.replace(behind, principal=behind.principal + 200)
    result = RENDERER.render(**{**values, "camera": aside}, outputs=("landmarks",))
    assert result.landmarks_visible.tolist() == [[False, False]], "outside the picture"


def test_the_smallest_region_wins():
    result = RENDERER.render(**part(inputs(), 0), outputs=("region", "position", "face_id"))
    assert RENDERER.topology.region_names == ("all", "upper", "cap")
    covered = result.face_id >= 0
    assert set(result.region[covered].unique().tolist()) == {1, 2, 3}
    height = result.position[..., 1]
    assert height[result.region == 3].min() > height[result.region == 1].max()


def test_a_surface_seen_from_its_inside_is_lit_on_that_side():
    mesh = polygon(star(np.random.default_rng(0), 8, 12, 16))
    light = DirectionalLight(
        *(torch.tensor([row]).double() for row in ([0, 0, -1], [0, 0, 0], [1, 1, 1]))
    )
    behind = look_at_face(SIZE, SIZE, yaw=180, distance=500, field_of_view=5, dtype=torch.float64)
    vertices = torch.tensor(mesh.vertices[None])
    centre = (0, SIZE // 2, SIZE // 2)
    for two_sided, expected in ((True, 1.0), (False, 0.0)):
        renderer = Renderer(mesh, settings_of(two_sided=two_sided))
        result = renderer.render(vertices, behind, light=light, outputs=("shading", "normals"))
        assert torch.allclose(result.shading[centre], torch.full((3,), expected).double())
        assert result.normals[centre][2] == 1.0, "the output is the outward normal either way"


def test_a_face_out_of_the_picture_gives_the_background():
    values = part(inputs(), 0)
    camera = values["camera"]
    values["camera"] = dataclasses.replace(camera, principal=camera.principal + 500)
    values["vertices"].requires_grad_()
    result = RENDERER.render(**values, outputs=OUTPUTS)
    assert torch.equal(result.rgb, values["background"])
    assert (result.alpha == 0).all()
    (result.rgb.sum() + result.depth.sum()).backward()
    assert (values["vertices"].grad == 0).all()


def test_only_what_was_asked_for_is_returned():
    result = RENDERER.render(**inputs(), outputs=("depth",))
    assert list(result.images) == ["depth"]
    with pytest.raises(SettingsError, match=r"'rgb' was not asked for.*depth"):
        _ = result.rgb
    assert "CPU" in result.backend.reason


def test_one_line_renders_a_mesh_as_it_is():
    camera = look_at_face(256, 256, distance=500)
    result = render(MESH, camera)
    assert result.rgb.shape == (1, 256, 256, 3)
    assert result.rgb.dtype == torch.float32
    result = render(TEMPLATE, camera, settings=settings_of(), outputs=("region",))
    assert result.region.shape == (1, SIZE, SIZE)


def test_neighbours_are_mutual_and_many_faced_edges_have_none():
    faces = np.array(MESH.faces)
    neighbours = face_neighbours(faces)
    assert (neighbours >= 0).all(), "a closed surface has no boundary"
    for k in range(3):
        edge = {tuple(row) for row in np.sort(faces[:, [k, (k + 1) % 3]], 1).tolist()}
        beyond = faces[neighbours[:, k]]
        assert edge
        assert (beyond[:, :, None] == faces[:, None, [k, (k + 1) % 3]]).any(1).all()
    fan = np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4]])
    assert (face_neighbours(fan) == -1).all()


def test_tables_can_be_shared():
    tables = render_topology(TEMPLATE)
    first = Renderer(tables, settings_of()).render(**inputs())
    assert torch.equal(first.rgb, RENDERER.render(**inputs()).rgb)


BEHIND = look_at_face(SIZE, SIZE, distance=20.0, dtype=torch.float64)
FLAT = inputs()["vertices"] * torch.tensor([1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"vertices": torch.zeros(0, len(MESH.vertices), 3)}, MeshError, "empty batch"),
        ({"vertices": torch.zeros(1, 5, 3)}, MeshError, r"vertices: expected shape"),
        ({"vertices": MESH.vertices[None]}, MeshError, "torch tensor, got a ndarray"),
        ({"vertices": inputs()["vertices"][:2]}, MeshError, "batch of 1 or 2"),
        ({"vertices": inputs()["vertices"] * torch.nan}, MeshError, "finite"),
        ({"vertices": FLAT}, MeshError, "triangles with an area.*check_input"),
        ({"camera": BEHIND}, MeshError, "in front of the camera.*Move the camera back"),
        ({"texture": torch.zeros(1, 8, 8, 4)}, SettingsError, "3 channels"),
        ({"colors": torch.zeros(1, len(MESH.vertices), 3)}, SettingsError, "got both"),
        ({"texture": None, "colors": torch.zeros(1, 5, 3)}, SettingsError, "colors: expected"),
        ({"light": "sun"}, SettingsError, "got a str"),
        ({"background": torch.zeros(1, 5, 5, 3)}, SettingsError, "background: expected shape"),
        ({"outputs": ("rgb", "smell")}, SettingsError, r"normals.*'smell'"),
        ({"outputs": "rgb"}, SettingsError, "list of outputs"),
        ({"outputs": ()}, SettingsError, "list of outputs"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(change, error, words):
    with pytest.raises(error, match=words) as caught:
        RENDERER.render(**{**inputs(), **change})
    assert str(caught.value).rstrip().endswith((".", "mesh"))


def test_what_cannot_be_drawn_is_left_out_when_asked():
    renderer = Renderer(TEMPLATE, settings_of(check_input=False))
    result = renderer.render(**{**inputs(), "camera": BEHIND})
    assert torch.isfinite(result.alpha).all()
    result = renderer.render(**{**inputs(), "vertices": FLAT})
    assert (result.alpha == 0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"height": 0}, "1 to 8192"),
        ({"width": 10000}, "1 to 8192"),
        ({"antialias": "fxaa"}, "analytic or none"),
        ({"color_space": "hsv"}, "srgb or linear"),
        ({"landmark_tolerance": -1.0}, "0 or more"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(change, words):
    with pytest.raises(SettingsError, match=words):
        RenderSettings(**change)


def test_a_renderer_that_cannot_be_made_says_why(monkeypatch):
    with pytest.raises(SettingsError, match="'vulkan'"):
        Renderer(MESH, settings_of(backend="vulkan"))
    with pytest.raises(SettingsError, match="'tpu'"):
        Renderer(MESH, device="tpu")
    monkeypatch.setattr(type(BACKENDS["pytorch3d"]), "missing", lambda self: "a build")
    with pytest.raises(MissingBackendError, match="a build"):
        Renderer(MESH, settings_of(backend="pytorch3d"))
    twice = Mesh(MESH.vertices, np.array([[0, 1, 2], [3, 3, 4]]))
    with pytest.raises(MeshError, match="use a vertex twice"):
        Renderer(twice)


def test_what_a_mesh_does_not_have_cannot_be_drawn():
    bare = Renderer(Mesh(MESH.vertices, MESH.faces), settings_of())
    values = inputs()
    with pytest.raises(SettingsError, match="mesh with uv"):
        bare.render(**values)
    with pytest.raises(LandmarkError, match="template with landmarks"):
        bare.render(values["vertices"], values["camera"], outputs=("landmarks",))
    with pytest.raises(SettingsError, match="mesh with uv"):
        bare.render(values["vertices"], values["camera"], outputs=("uv",))
