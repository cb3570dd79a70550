"""`geomface evaluate SYSTEM`: Measure a trained system, one verb a system."""

from geomface.cli.learned.systems import verb_group

GROUP = verb_group("evaluate", "Measure a trained system.")
