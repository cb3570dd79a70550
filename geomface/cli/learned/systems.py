"""Which systems there are to train, sample and evaluate."""

import importlib

from geomface.cli.command import CommandGroup

SYSTEMS = ("progressive_texture", "factored_geometry", "render_to_photo", "landmark_reenactment")
"""System `x` has its commands in module geomface.cli.learned.x, as COMMANDS {verb: command}."""


def verb_group(verb: str, summary: str) -> CommandGroup:
    """Return the noun `verb`, such as "train", with one command for each system that has it."""
    tables = {
        name: importlib.import_module(f"geomface.cli.learned.{name}").COMMANDS for name in SYSTEMS
    }
    return CommandGroup(
        verb, summary, {name: table[verb] for name, table in tables.items() if verb in table}
    )
