"""The commands of faces that follow landmarks."""

from geomface.cli.command import Command
from geomface.cli.learned.landmark_reenactment.sample import SampleReenactmentOptions, run_sample

COMMANDS = {
    "sample": Command(SampleReenactmentOptions, run_sample),
}
