"""`geomface fit SYSTEM`: Fit a trained system to given faces, one verb a system."""

from geomface.cli.learned.systems import verb_group

GROUP = verb_group("fit", "Fit a trained system to given faces.")
