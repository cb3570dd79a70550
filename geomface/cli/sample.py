"""`geomface sample SYSTEM`: Draw from a trained system, one verb a system."""

from geomface.cli.learned.systems import verb_group

GROUP = verb_group("sample", "Draw from a trained system.")
