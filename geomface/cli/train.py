"""`geomface train SYSTEM`: Train a generative system into a run directory, one verb a system."""

from geomface.cli.learned.systems import verb_group

GROUP = verb_group("train", "Train a generative system into a run directory.")
