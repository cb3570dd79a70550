"""`geomface edit SYSTEM`: Change given faces with a trained system, one verb a system."""

from geomface.cli.learned.systems import verb_group

GROUP = verb_group("edit", "Change given faces with a trained system.")
