"""The search of `silhouette_edges` in plain torch, for CUDA."""

from typing import NamedTuple

import torch


class _Pictures(NamedTuple):
    """Flattened tables: vertices of image i start at i V."""

    xy: torch.Tensor
    depth: torch.Tensor
    faces: torch.Tensor
    neighbours: torch.Tensor


class _Segments(NamedTuple):
    """From a pixel centre towards its neighbour: (n,) each.

    `along` and `across` are 0 and 1 for a horizontal segment, 1 and 0 for a vertical one.
    """

    along: torch.Tensor
    across: torch.Tensor
    line: torch.Tensor
    origin: torch.Tensor
    sign: torch.Tensor
    first_vertex: torch.Tensor

    def pick(self, rows: torch.Tensor) -> "_Segments":
        return _Segments(*(field[rows] for field in self))


def find_ends(
    face_ids: torch.Tensor,
    xy: torch.Tensor,
    depth: torch.Tensor,
    faces: torch.Tensor,
    neighbours: torch.Tensor,
    most_steps: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return near, far, start, end and horizontal of all images; see `SilhouetteCrossings`."""
    _, height, width = face_ids.shape
    count = xy.shape[1]
    pictures = _Pictures(xy.reshape(-1, 2), depth.reshape(-1), faces, neighbours)
    found = []
    for axis in (0, 1):
        low, high = face_ids, face_ids
        low = low[:, :, :-1] if axis == 0 else low[:, :-1]
        high = high[:, :, 1:] if axis == 0 else high[:, 1:]
        image, row, column = torch.nonzero(low != high, as_tuple=True)
        one, other = low[image, row, column].long(), high[image, row, column].long()
        line = (row if axis == 0 else column).double() + 0.5
        origin = (column if axis == 0 else row).double() + 0.5
        along = torch.full_like(image, axis)
        forth = _Segments(along, 1 - along, line, origin, torch.ones_like(line), image * count)
        back = forth._replace(origin=origin + 1.0, sign=-forth.sign)
        a, b = _walk(one, forth, pictures, most_steps)
        c, d = _walk(other, back, pictures, most_steps)
        nearer = _depth_on(a, b, forth, pictures) <= _depth_on(c, d, back, pictures)
        forward = (a >= 0) & ((c < 0) | nearer)
        start, end = torch.where(forward, a, c), torch.where(forward, b, d)
        edge = pictures.xy[end.clamp(min=0)] - pictures.xy[start.clamp(min=0)]
        length, across = edge[:, axis].abs(), edge[:, 1 - axis].abs()
        # At equal slopes the edge belongs to the pixels side by side.
        counts = across >= length if axis == 0 else across > length
        here = (image * height + row) * width + column
        there = here + (1 if axis == 0 else width)
        kept = torch.nonzero((start >= 0) & counts)[:, 0]
        near, far = torch.where(forward, here, there), torch.where(forward, there, here)
        rows = (near, far, start, end, torch.full_like(forward, axis == 0))
        found.append(torch.stack([item.long()[kept] for item in rows]))
    near, far, start, end, horizontal = torch.cat(found, dim=1)
    return near, far, start, end, horizontal.bool()


def _walk(
    face: torch.Tensor, segments: _Segments, pictures: _Pictures, most_steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Follow the surfaces of the faces (n,); return their last edges (n,), (n,), -1 for none."""
    start, end = torch.full_like(face, -1), torch.full_like(face, -1)
    active = torch.nonzero(face >= 0)[:, 0]
    face, now = face[active], segments.pick(active)
    entered = torch.full((len(face), 3), False, device=face.device)
    outside = _outside(face, now, pictures)
    for _ in range(most_steps):
        t, exit_edge = _exit(face, now, pictures, entered)
        going = (t > -torch.inf) & (t < 1.0)
        corners = pictures.faces[face]
        va = corners.gather(1, exit_edge[:, None])[:, 0]
        vb = corners.gather(1, ((exit_edge + 1) % 3)[:, None])[:, 0]
        following = pictures.neighbours[face].gather(1, exit_edge[:, None])[:, 0]
        turned = _outside(following.clamp(min=0), now, pictures) != outside
        ends = going & ((following < 0) | turned)
        start[active[ends]] = (va + now.first_vertex)[ends]
        end[active[ends]] = (vb + now.first_vertex)[ends]
        onward = torch.nonzero(going & ~ends)[:, 0]
        if not len(onward):
            break
        active, now, outside = active[onward], now.pick(onward), outside[onward]
        face, va, vb = following[onward], va[onward, None], vb[onward, None]
        corners = pictures.faces[face]
        after = corners.roll(-1, dims=1)
        entered = ((corners == va) & (after == vb)) | ((corners == vb) & (after == va))
    return start, end


def _outside(face: torch.Tensor, segments: _Segments, pictures: _Pictures) -> torch.Tensor:
    """Say whether the outside of each face is seen: counter-clockwise, y down."""
    a, b, c = (pictures.faces[face] + segments.first_vertex[:, None]).unbind(1)
    a, b, c = pictures.xy[a], pictures.xy[b], pictures.xy[c]
    u, v = b - a, c - a
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] < 0.0


def _exit(
    face: torch.Tensor, segments: _Segments, pictures: _Pictures, entered: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where along the segment each face is left, and through which edge; -inf for never."""
    places = pictures.xy[pictures.faces[face] + segments.first_vertex[:, None]]
    off = places.gather(2, segments.across[:, None, None].expand(-1, 3, 1))[..., 0]
    off = off - segments.line[:, None]
    along = places.gather(2, segments.along[:, None, None].expand(-1, 3, 1))[..., 0]
    off_after, along_after = off.roll(-1, dims=1), along.roll(-1, dims=1)
    crossed = ((off >= 0.0) != (off_after >= 0.0)) & ~entered
    step = torch.where(crossed, off_after - off, 1.0)
    t = along + (0.0 - off) * (along_after - along) / step
    t = (t - segments.origin[:, None]) * segments.sign[:, None]
    return torch.where(crossed, t, -torch.inf).max(dim=1)


def _depth_on(
    a: torch.Tensor, b: torch.Tensor, segments: _Segments, pictures: _Pictures
) -> torch.Tensor:
    """Return the linear depth where edges a b cross their segments."""
    a, b = a.clamp(min=0), b.clamp(min=0)
    off_a = pictures.xy[a].gather(1, segments.across[:, None])[:, 0] - segments.line
    off_b = pictures.xy[b].gather(1, segments.across[:, None])[:, 0] - segments.line
    depth = pictures.depth
    return depth[a] + (0.0 - off_a) / (off_b - off_a) * (depth[b] - depth[a])
