"""Names of settings in runs and checkpoints of older versions, and what they are called today."""

FORMER_NETWORKS = {"critic_width": "discriminator_width"}
"""Of the networks' settings, which every checkpoint holds."""
