"""The same Phong picture and the same gradients as PyTorch3D, where it is importable."""

import dataclasses

import pytest
import torch
from render_scenes import sphere

from geomface.rendering.differentiable import (
    PointLight,
    Pytorch3dCamera,
    Renderer,
    RenderSettings,
    look_at_face,
    to_convention,
)

pytest.importorskip(
    "pytorch3d",
    reason="PyTorch3D is not importable: it has no wheel for this Python and was not built here",
)

SIZE = 64
MESH = sphere(16)


def reference(vertices: torch.Tensor, colors: torch.Tensor, foreign: Pytorch3dCamera):
    """PyTorch3D's hard Phong picture (H, W, 3), alpha (H, W) and face ids (H, W)."""
    from pytorch3d.renderer import (
        BlendParams,
        HardPhongShader,
        Materials,
        MeshRasterizer,
        PerspectiveCameras,
        PointLights,
        RasterizationSettings,
        TexturesVertex,
    )
    from pytorch3d.structures import Meshes

    cameras = PerspectiveCameras(
        R=foreign.R,
        T=foreign.T,
        focal_length=foreign.focal_length,
        principal_point=foreign.principal_point,
    )
    faces = torch.tensor(MESH.faces.copy())[None]
    meshes = Meshes(vertices, faces, textures=TexturesVertex(colors))
    raster = RasterizationSettings(image_size=SIZE, blur_radius=0.0, faces_per_pixel=1)
    fragments = MeshRasterizer(cameras, raster)(meshes)
    lights = PointLights(
        location=((100.0, 200.0, 400.0),),
        ambient_color=((0.3, 0.3, 0.3),),
        diffuse_color=((0.5, 0.5, 0.5),),
        specular_color=((0.2, 0.2, 0.2),),
    )
    shader = HardPhongShader(
        cameras=cameras,
        lights=lights,
        materials=Materials(shininess=20),
        blend_params=BlendParams(background_color=(0.0, 0.0, 0.0)),
    )
    picture = shader(fragments, meshes)[0]
    return picture[..., :3], fragments.pix_to_face[0, ..., 0]


def test_pictures_and_interior_gradients_agree():
    camera = look_at_face(SIZE, SIZE, yaw=20.0, distance=500, field_of_view=24)
    foreign = to_convention(camera, "pytorch3d", SIZE, SIZE)
    assert isinstance(foreign, Pytorch3dCamera)
    generator = torch.Generator().manual_seed(0)
    colors = torch.rand(1, len(MESH.vertices), 3, generator=generator)
    vertices = torch.tensor(MESH.vertices[None]).float().requires_grad_()
    gray = torch.ones(1, 3)
    light = PointLight(
        torch.tensor([[100.0, 200.0, 400.0]]),
        0.3 * gray,
        0.5 * gray,
        0.2 * gray,
        torch.tensor([20.0]),
    )
    settings = RenderSettings(
        height=SIZE, width=SIZE, antialias="none", color_space="linear", two_sided=False
    )
    ours = Renderer(MESH, settings).render(
        vertices, camera, colors=colors, light=light, outputs=("rgb", "face_id")
    )
    theirs, ids = reference(vertices, colors, foreign)
    same = ours.face_id[0] == ids
    # Away from edges: pixels on a shared edge may belong to either triangle, or to none there.
    assert same.float().mean() > 0.99
    assert ((ours.face_id[0] >= 0) == (ids >= 0)).float().mean() > 0.998
    inner = same & (ids >= 0)
    assert (ours.rgb[0] - theirs)[inner].abs().max() < 2e-3
    mix = torch.randn(int(inner.sum()), 3, generator=generator)
    (one,) = torch.autograd.grad((ours.rgb[0][inner] * mix).sum(), vertices)
    (other,) = torch.autograd.grad((theirs[inner] * mix).sum(), vertices)
    cosine = (one * other).sum() / one.norm() / other.norm()
    assert cosine > 0.9999


def test_the_backend_draws_what_numba_draws():
    camera = look_at_face(SIZE, SIZE, yaw=torch.tensor([20.0, -50.0]), distance=500)
    vertices = torch.tensor(MESH.vertices[None]).float()
    settings = RenderSettings(height=SIZE, width=SIZE)
    found = [
        Renderer(MESH, dataclasses.replace(settings, backend=name)).render(
            vertices, camera, outputs=("face_id",)
        )
        for name in ("numba", "pytorch3d")
    ]
    assert (found[0].face_id == found[1].face_id).float().mean() > 0.998
