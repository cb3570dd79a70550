"""Rendering of meshes to pictures, differentiable in shape, camera, light and texture."""

from collections.abc import Sequence

import torch

from geomface.errors import LandmarkError, MeshError, SettingsError
from geomface.mesh import Mesh, Template
from geomface.rendering.differentiable.cameras import Camera
from geomface.rendering.differentiable.checks import common_batch, require_tensor
from geomface.rendering.differentiable.composite import composite
from geomface.rendering.differentiable.fragments import fragments_of
from geomface.rendering.differentiable.landmarks import landmark_points, project_landmarks
from geomface.rendering.differentiable.lights import Light, as_lights
from geomface.rendering.differentiable.normals import first_without_area
from geomface.rendering.differentiable.render_pass import Appearance, RenderPass
from geomface.rendering.differentiable.result import RenderResult
from geomface.rendering.differentiable.settings import OUTPUTS, RenderSettings
from geomface.rendering.differentiable.textures import check_texture
from geomface.rendering.differentiable.topology import RenderTopology, render_topology
from geomface.rendering.visibility import choose_backend, resolve_device


class Renderer:
    """A renderer of one topology: tables and backend chosen once, then many shapes.

    Parameters
    ----------
    surface : a mesh, a template (with its landmarks and regions), or tables built before
    settings : see `RenderSettings`
    device : "cpu", "cuda", "cuda:<n>" or "auto"; tensors given later must be there

    Raises
    ------
    MeshError : a triangle that uses a vertex twice.
    SettingsError : an unknown backend or device.
    MissingBackendError : a backend or device that is asked for by name and is not there.

    Example
    -------
    >>> import torch
    >>> import geomface as gf
    >>> mesh = gf.load_builtin_face().mesh
    >>> camera = gf.look_at_face(64, 64, yaw=20.0)
    >>> vertices = torch.tensor(mesh.vertices, dtype=torch.float32)[None].requires_grad_()
    >>> result = gf.Renderer(mesh, gf.RenderSettings(64, 64)).render(vertices, camera)
    >>> result.rgb.mean().backward()
    >>> tuple(result.rgb.shape), bool(vertices.grad.abs().max() > 0)
    ((1, 64, 64, 3), True)
    """

    def __init__(
        self,
        surface: Mesh | Template | RenderTopology,
        settings: RenderSettings | None = None,
        *,
        device: str | torch.device = "cpu",
    ) -> None:
        self.settings = RenderSettings() if settings is None else settings
        self.device = resolve_device(device)
        self.backend = choose_backend(self.settings.backend, self.device)
        tables = surface if isinstance(surface, RenderTopology) else render_topology(surface)
        self.topology = tables.to(self.device)

    def render(
        self,
        vertices: torch.Tensor,
        camera: Camera,
        *,
        texture: torch.Tensor | None = None,
        colors: torch.Tensor | None = None,
        light: Light | Sequence[Light] | None = None,
        background: torch.Tensor | None = None,
        outputs: Sequence[str] = ("rgb", "alpha"),
    ) -> RenderResult:
        """Render a batch of shapes and return the outputs asked for, from one visibility pass.

        rgb = albedo x shading + highlight, blended over silhouettes and the background.

        Parameters
        ----------
        vertices : (B, V, 3) float32 or float64, millimetres; its dtype is that of the result
        camera : see `look_at_face`
        texture : (B, H, W, 3) in [0, 1], row 0 at the top, read at the mesh's uv; or
        colors : (B, V, 3) in [0, 1]; with neither the surface is grey
        light : one or several; None shows the albedo
        background : (B, 3) or (B, height, width, 3) in [0, 1]; None is black
        outputs : some of `OUTPUTS`; "landmarks" brings "landmarks_visible" along

        Returns
        -------
        RenderResult : batch as the largest of the arguments; any of them may have batch 1 and is
            then shared. An image does not depend on the others of its batch, to the bit on a CPU.

        Raises
        ------
        MeshError : an empty batch or batches that do not fit, vertices behind the camera or not
            finite, triangles without area.
        SettingsError : an unknown output, a texture that has not three channels, tensors on
            another device, a texture for a mesh without uv.
        LandmarkError : landmarks of a mesh that has none.
        """
        _check_outputs(outputs)
        vertices = self._on_device(
            require_tensor(vertices, (None, self.topology.vertex_count, 3), "vertices", MeshError),
            "vertices",
        )
        appearance = self._appearance(vertices, texture, colors, light, background)
        sizes = {"vertices": len(vertices), "camera": camera.batch}
        for name, value in (("texture", appearance.texture), ("colors", appearance.colors)):
            sizes[name] = 1 if value is None else len(value)
        sizes["background"] = 1 if appearance.background is None else len(appearance.background)
        sizes.update({f"light {k}": item.batch for k, item in enumerate(appearance.lights)})
        batch = common_batch(sizes)
        camera = camera.to(vertices)
        xyz = camera.project(vertices).expand(batch, -1, -1)
        if self.settings.check_input:
            self._check_shapes(vertices, xyz, camera)
        if set(outputs) == {"landmarks"}:
            # They are compared with the triangles themselves: nothing has to be drawn.
            ids = torch.full((batch, 1, 1), -1, dtype=torch.int32, device=self.device)
        else:
            ids = self.backend.backend.face_ids(
                xyz.detach(),
                self.topology.faces,
                self.settings.height,
                self.settings.width,
                perspective=camera.perspective,
            )
        fragments = fragments_of(
            ids, self.topology.faces, vertices.dtype, compiled=self.settings.compiled
        )
        state = RenderPass(
            self.topology, self.settings, camera, appearance, vertices, xyz, fragments
        )
        return RenderResult(_collect(state, outputs), self.backend)

    def _on_device(self, tensor: torch.Tensor, name: str) -> torch.Tensor:
        if tensor.device != self.device and tensor.device.type != self.device.type:
            raise SettingsError(
                f"render: {name} is on {tensor.device}, the renderer on {self.device}. Move one of "
                "them."
            )
        return tensor

    def _appearance(
        self,
        vertices: torch.Tensor,
        texture: torch.Tensor | None,
        colors: torch.Tensor | None,
        light: Light | Sequence[Light] | None,
        background: torch.Tensor | None,
    ) -> Appearance:
        if texture is not None and colors is not None:
            raise SettingsError("render: expected a texture or colors, got both.")
        if texture is not None:
            texture = self._on_device(check_texture(texture), "texture").to(vertices.dtype)
        if colors is not None:
            colors = require_tensor(colors, (None, self.topology.vertex_count, 3), "colors")
            colors = self._on_device(colors, "colors").to(vertices.dtype)
        if background is not None:
            tail = (self.settings.height, self.settings.width, 3)
            flat = isinstance(background, torch.Tensor) and background.ndim == 2
            background = require_tensor(
                background, (None, *(tail[2:] if flat else tail)), "background"
            )
            background = self._on_device(background, "background").to(vertices.dtype)
        return Appearance(texture, colors, as_lights(light, vertices), background)

    def _check_shapes(self, vertices: torch.Tensor, xyz: torch.Tensor, camera: Camera) -> None:
        """Raise on shapes that cannot be drawn whole."""
        bad = ~torch.isfinite(xyz.detach()).all(dim=2)
        if camera.perspective:
            bad |= xyz[..., 2] <= 0
        if bool(bad.any()):
            image, vertex = torch.nonzero(bad)[0].tolist()
            raise MeshError(
                f"render: expected all vertices in front of the camera and finite, but "
                f"{int(bad[image].sum())} of {bad.shape[1]} of image {image} are not (first: "
                f"vertex {vertex}). Move the camera back, or leave them out with check_input=False."
            )
        empty = first_without_area(vertices, self.topology.faces)
        if empty is not None:
            image, face, count = empty
            raise MeshError(
                f"render: expected triangles with an area, but {count} of image {image} have none "
                f"(first: triangle {face}). Repair the shape, or leave them out with "
                "check_input=False."
            )


def render(
    surface: Mesh | Template,
    camera: Camera,
    vertices: torch.Tensor | None = None,
    *,
    settings: RenderSettings | None = None,
    device: str | torch.device = "cpu",
    texture: torch.Tensor | None = None,
    colors: torch.Tensor | None = None,
    light: Light | Sequence[Light] | None = None,
    background: torch.Tensor | None = None,
    outputs: Sequence[str] = ("rgb", "alpha"),
) -> RenderResult:
    """Render a mesh once; for many shapes of one topology keep a `Renderer`.

    Parameters
    ----------
    surface : a mesh or template
    camera : see `look_at_face`
    vertices : (B, V, 3), default the mesh's own as float32
    settings, device : see `Renderer`
    texture, colors, light, background, outputs : see `Renderer.render`
    """
    renderer = Renderer(surface, settings, device=device)
    if vertices is None:
        mesh = surface.mesh if isinstance(surface, Template) else surface
        vertices = torch.tensor(mesh.vertices[None], dtype=torch.float32, device=renderer.device)
    return renderer.render(
        vertices,
        camera,
        texture=texture,
        colors=colors,
        light=light,
        background=background,
        outputs=outputs,
    )


def _check_outputs(outputs: Sequence[str]) -> None:
    if isinstance(outputs, str) or not outputs:
        raise SettingsError(f"render: expected a list of outputs, got {outputs!r}.")
    for name in outputs:
        if name not in OUTPUTS:
            raise SettingsError(
                f"render: expected outputs among {', '.join(OUTPUTS)}, got {name!r}."
            )


def _collect(state: RenderPass, outputs: Sequence[str]) -> dict[str, torch.Tensor]:
    """Compute the outputs in the order asked for."""
    ids = state.fragments.face_ids
    images: dict[str, torch.Tensor] = {}
    blended = {"rgb", "alpha"} & set(outputs)
    if blended:
        rgb, alpha = composite(state, "rgb" in blended)
        images.update({"alpha": alpha} if rgb is None else {"rgb": rgb, "alpha": alpha})
    readers = {
        "depth": lambda: state.depth,
        "normals": lambda: state.normals,
        "position": lambda: state.position,
        "uv": lambda: state.uv,
        "albedo": lambda: state.albedo,
        "shading": lambda: state.shading,
        "region": state.regions,
    }
    for name in outputs:
        if name in readers:
            picture = state.fragments.picture(readers[name]())
            images[name] = picture[..., 0] if picture.shape[-1] == 1 else picture
        elif name == "face_id":
            images[name] = ids
        elif name == "landmarks":
            images[name], images["landmarks_visible"] = _landmarks(state)
    kept = {*outputs, "landmarks_visible"}
    return {name: image for name, image in images.items() if name in kept}


def _landmarks(state: RenderPass) -> tuple[torch.Tensor, torch.Tensor]:
    corners, weights = state.topology.landmark_vertices, state.topology.landmark_weights
    if corners is None or weights is None:
        raise LandmarkError(
            "render: expected a template with landmarks for the output 'landmarks', this one has "
            "none. Give a Template with an embedding."
        )
    points = landmark_points(state.vertices, corners, weights)
    return project_landmarks(
        points,
        state.camera,
        state.xyz_pixels.detach(),
        state.topology.faces,
        (state.settings.height, state.settings.width),
        state.settings.landmark_tolerance,
    )
