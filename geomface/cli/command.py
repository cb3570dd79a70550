"""Commands as data: options class, function, help; and how a noun finds its verb."""

import dataclasses
import difflib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import tyro

from geomface.cli.run import Run


@dataclasses.dataclass(frozen=True)
class Command:
    """One command.

    Parameters
    ----------
    options : frozen dataclass; its docstring is the description, its fields' docstrings the help
    run : does the work and returns the exit code
    """

    options: type
    run: Callable[[Any, Run], int]

    @property
    def summary(self) -> str:
        """First line of the options' docstring."""
        return (self.options.__doc__ or "").strip().splitlines()[0]

    @property
    def description(self) -> str:
        """The options' docstring, a line a paragraph."""
        paragraphs = (self.options.__doc__ or "").strip().split("\n\n")
        return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


@dataclasses.dataclass(frozen=True)
class CommandGroup:
    """A noun with its verbs; a noun that is a command by itself has the one verb "".

    Parameters
    ----------
    noun : as typed
    summary : one line of help
    commands : {verb: command}
    """

    noun: str
    summary: str
    commands: Mapping[str, Command]

    def run(self, words: list[str]) -> int:
        """Parse `words` (without the noun), run the command and return its exit code."""
        if set(self.commands) == {""}:
            return run_command(self.commands[""], f"geomface {self.noun}", words)
        if not words or words[0] in ("-h", "--help", "help"):
            stream = sys.stdout if words else sys.stderr
            stream.write(self.help_text())
            return 0 if words else 2
        verb = words[0]
        if verb not in self.commands:
            near = difflib.get_close_matches(verb, self.commands, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            sys.stderr.write(
                f"usage: geomface {self.noun} has no command {verb!r}.{hint} "
                f"It has: {', '.join(self.commands)}.\n"
            )
            return 2
        return run_command(self.commands[verb], f"geomface {self.noun} {verb}", words[1:])

    def help_text(self) -> str:
        """The list of verbs."""
        width = max(len(verb) for verb in self.commands) + 2
        rows = [f"  {verb:<{width}}{self.commands[verb].summary}" for verb in self.commands]
        return "\n".join(
            [
                f"usage: geomface {self.noun} COMMAND [OPTIONS]",
                "",
                self.summary,
                "",
                "commands:",
                *rows,
                "",
                f"'geomface {self.noun} COMMAND --help' explains a command.",
                "",
            ]
        )


def run_command(command: Command, title: str, words: list[str]) -> int:
    """Parse the options of one command and run it."""
    options = tyro.cli(
        command.options,
        args=words,
        prog=title,
        description=command.description,
        config=(tyro.conf.OmitArgPrefixes,),
    )
    return command.run(options, Run(title, options, words))
