"""`geomface sample landmark_reenactment`: one picture of a face follows landmarks."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from geomface.cli.inputs import make_folder, read_model
from geomface.cli.learned.trained_file import SHIPPED, RunOrShipped, trained_path
from geomface.cli.options import CommonOptions, Flag, MaybeFile, require_options
from geomface.cli.run import Run
from geomface.errors import OutputError, SettingsError
from geomface.ranges import COUNT

if TYPE_CHECKING:
    from geomface.arrays import FloatArray
    from geomface.pipeline.reenacted_face import MarkedFace

_LEAST_SIDE = 192
"""Pixels a side that videos have at least: small frames are enlarged by a whole number."""
MaybeTrack = Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="(optional)")]
Turn = Annotated[
    tuple[Literal["yaw", "pitch", "roll"], float, float] | None,
    tyro.conf.arg(metavar="AXIS FROM TO", help_behavior_hint="(optional)"),
]


@dataclasses.dataclass(frozen=True)
class SampleReenactmentOptions:
    """One picture of a face moves as a track of landmarks says, or as its own 3D model turns.

    Give --track, or any of --turn, --frontal and --expression. Of a track of somebody else, the
    face takes pose and expression, and keeps its own shape: the 3D model is fitted to the landmarks
    of the picture and to every frame. Writes frames/00000.png and so on as the network makes them,
    sheet.png, reenactment.gif, and with --mp4 reenactment.mp4.
    """

    image: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """Picture of the face."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of the result, without an earlier one; it is created."""
    run: RunOrShipped = SHIPPED
    """Run directory, checkpoint or model file."""
    landmarks: MaybeFile = None
    """Landmarks of the picture, 68 or 66; default those beside it, else they are found."""
    track: MaybeTrack = None
    """Folder of landmark files, npy or npz (frames, 68, 2), video, folder of pictures, picture, or
    set of 'synth faces' of one person."""
    as_it_is: Flag = False
    """Take the landmarks of the track as they are, with the shape of whose they are."""
    smooth: int = 7
    """Frames, an odd number, over which landmarks that are found in a --track are smoothed; 1
    leaves them as they are found. Those that are given are not smoothed."""
    turn: Turn = None
    """Turn the head: yaw, pitch or roll from one angle to another, degrees."""
    frontal: Flag = False
    """Turn the head to the camera."""
    expression: Annotated[
        str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="(optional)")
    ] = None
    """Come to an expression: happy, sad, surprise, anger, fear, disgust, neutral, or a blendshape
    of the model such as jawOpen."""
    frames: int = 25
    """Frames of such a movement; 1 is its end."""
    progressive: Flag = False
    """Make each frame of the one before, not of the picture."""
    rate: float = 25.0
    """Frames a second of GIF and MP4."""
    mp4: Flag = False
    """Write a video too; needs geomface[video]."""
    model: Annotated[
        Path | None,
        tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the built-in face)"),
    ] = None
    """Face model with the 68 landmarks."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, frames=COUNT, smooth=COUNT, rate="(0, 1000]")
        if self.smooth % 2 == 0:
            raise SettingsError(f"--smooth: expected an odd number of frames, got {self.smooth}.")
        moves = self.turn is not None or self.frontal or self.expression is not None
        if moves == (self.track is not None):
            got = "both" if moves else "neither"
            raise SettingsError(
                f"expected --track, or any of --turn, --frontal and --expression, got {got}."
            )
        if self.turn is not None and self.frontal:
            raise SettingsError("--turn and --frontal both move the head: give one.")
        if self.as_it_is and self.track is None:
            raise SettingsError(
                "--as-it-is says how a --track is taken: give one, or leave it out."
            )


def run_sample(options: SampleReenactmentOptions, run: Run) -> int:
    """Read, find where the landmarks go, move, write."""
    from geomface.files import save_image
    from geomface.files.videos import require_video_backend, save_gif, save_video
    from geomface.gan.landmark_reenactment.crops import crop_face
    from geomface.gan.landmark_reenactment.sampling import ASSET, load_reenactor
    from geomface.pipeline.reenacted_face import read_marked_face, save_frames
    from geomface.report.reenactment_sheet import enlarged, reenactment_sheet

    run.require_cpu()
    make_folder(options.out, create=False)
    _require_new(options.out)
    if options.mp4:
        require_video_backend()
    reenactor = load_reenactor(trained_path(options.run, ASSET))
    size = reenactor.settings.size
    face = read_marked_face(options.image, options.landmarks)
    if face.found:
        run.note(f"{options.image}: no landmarks beside it, so they were found.")
    points = _targets(options, run, face)
    shown, own, _ = crop_face(face.picture, face.points, size, reenactor.margin)
    targets = reenactor.targets(points)
    if options.common.dry_run:
        what = f"move the face of {options.image} through {len(targets)} frames of {size} px"
        return run.plan([what, f"write them, sheet.png and reenactment.gif to {options.out}"])
    made = reenactor.reenact(shown, targets, own=own, progressive=options.progressive)
    make_folder(options.out)
    with run.progress("frames", len(targets)) as step:
        frames = save_frames(
            options.out, made, len(targets), lambda done, _, name: step(done, name)
        )
    factor = max(1, -(-_LEAST_SIDE // size))
    larger = [enlarged(frame, factor) for frame in frames]
    save_gif(options.out / "reenactment.gif", larger, options.rate)
    if options.mp4:
        save_video(options.out / "reenactment.mp4", larger, options.rate)
    sheet = options.out / "sheet.png"
    save_image(sheet, reenactment_sheet(shown, own, targets, frames))
    run.finish({"frames": len(frames), "size": size, "step": reenactor.step, "sheet": sheet})
    run.say(f"{options.out}: {len(frames)} frames of {size} px, see {sheet}; {run.seconds:.1f} s")
    return 0


def _targets(options: SampleReenactmentOptions, run: Run, face: "MarkedFace") -> "FloatArray":
    """Return where the landmarks (T, 68, 2) go, in pixels of some picture."""
    from geomface.gan.landmark_reenactment.posed_face import (
        face_fitter,
        moved,
        named_expression,
        pose_face,
    )
    from geomface.gan.landmark_reenactment.track_reading import read_track
    from geomface.pipeline.reenacted_face import follow_track

    name = str(options.image)
    if options.track is not None:
        with run.progress("track", 1) as step:
            track = read_track(
                options.track,
                smooth=options.smooth,
                on_frame=lambda done, total, what: step(done, what, total),
            )
        run.add_notes(track.notes)
        if options.as_it_is:
            return track.points
        model = read_model(options.model)
        with run.progress("fit", len(track)) as step:
            return follow_track(face, track, model, name, lambda done, _, what: step(done, what))
    model = read_model(options.model)
    wanted = None
    if options.expression is not None:
        wanted = named_expression(model, options.expression)
    return moved(
        pose_face(face.points, face.size, face_fitter(model), name),
        options.frames,
        turn=options.turn,
        frontal=options.frontal,
        expression=wanted,
    )


def _require_new(folder: Path) -> None:
    """Refuse a folder with an earlier result, with which the new one would be mixed."""
    for name in ("frames", "sheet.png", "reenactment.gif", "reenactment.mp4"):
        if (folder / name).exists():
            raise OutputError(
                f"--out {folder}: holds an earlier result ({name}), with which the new one would "
                "be mixed. Choose another folder, or remove it."
            )
