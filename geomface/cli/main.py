"""Entry point of `geomface`: finds the noun, runs it, turns errors into sentences and exit codes.

Only the standard library is imported here: `geomface --help` must not wait for numerics.
"""

import difflib
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

import geomface
from geomface.errors import GeomfaceError, printable
from geomface.processes import orderly_interrupts

OK, FAILED, USAGE, PARTLY, INTERRUPTED = 0, 1, 2, 3, 130

NOUNS = {
    "demo": "12 simulated scans through the whole chain, to a report to look at",
    "doctor": "what is installed, what this machine offers, a one-second self test",
    "template": "a template out of a mesh of your own: checks, landmarks, regions, uv",
    "register": "fit the template to one raw scan",
    "unwrap": "map a template to the unit square (uv), areas as you like",
    "geoimage": "encode registered meshes as geometry images, and decode them",
    "bake": "carry a scan's colours over to the template's texture",
    "pipeline": "a whole folder of scans: run, status, retry, verify",
    "model": "face models: fit, sample, measure, fit to scans, convert",
    "landmarks": "find the 68 landmarks of a scan or of a photograph without help",
    "synth": "simulated raw scans, and labelled pictures of faces, with their truth",
    "render": "a picture of a mesh",
    "export": "a mesh with its texture as GLB, OBJ or PLY for other programs",
    "recognise": "who is in pictures of faces: align, train, describe, compare, measure",
    "train": "train a generative system into a run directory",
    "sample": "draw images or faces from a trained system",
    "evaluate": "measure a trained system, or how real face pictures are",
    "fit": "fit a trained system to given faces",
    "edit": "change given faces with a trained system",
    "report": "a single-file offline report of a pipeline's output or of a training",
}
"""{noun: one line of help}; noun `x` lives in module geomface.cli.x, loaded when it is used."""

TORCH_MEMORY = ("DefaultCPUAllocator: can't allocate", "DefaultCPUAllocator: not enough memory")
"""What a RuntimeError of torch says where numpy raises MemoryError."""

EXAMPLES = (
    "geomface demo --out my-demo",
    "geomface register --scan scan.ply --landmarks scan.landmarks.json --out registered.ply",
    "geomface pipeline run --scans my-scans --out my-result --workers 2",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    Parameters
    ----------
    argv : the words after `geomface`; None means those of this process

    Returns
    -------
    0 all good, 1 failed, 2 usage, 3 finished with failed items, 130 interrupted
    """
    with orderly_interrupts():
        return guarded(_dispatch, list(sys.argv[1:] if argv is None else argv))


def guarded(work: Callable[[list[str]], int], words: list[str]) -> int:
    """Do some work with the words of a command line; an error becomes a sentence and a code."""
    debug = "--debug" in words or os.environ.get("GEOMFACE_DEBUG", "") not in ("", "0")
    words = [word for word in words if word != "--debug"]
    try:
        return work(words)
    except SystemExit as stop:  # the argument parser's way to end: help is 0, usage is 2
        return _exit_code(stop)
    except KeyboardInterrupt:
        _complain("interrupted. Finished outputs are whole; the same command starts again.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as in `geomface --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except GeomfaceError as error:
        if debug:
            raise
        _complain(f"error: {error}")
        return FAILED
    except MemoryError:
        if debug:
            raise
        return _complain_of_memory()
    except OSError as error:
        if debug:
            raise
        _complain(f"error: {_describe_os_error(error)}")
        return FAILED
    except Exception as error:
        if debug:
            raise
        if any(words in str(error) for words in TORCH_MEMORY):
            return _complain_of_memory()
        _complain(
            f"error: unexpected {type(error).__name__}: {error}\n"
            "This is a defect in geomface. Please report it with the output of the same command "
            "with --debug and of 'geomface doctor --json'."
        )
        return FAILED


def _complain_of_memory() -> int:
    _complain(
        "error: the memory of this machine does not suffice. Give less at once (fewer workers, "
        "a smaller size), or close other programs."
    )
    return FAILED


def _dispatch(words: list[str]) -> int:
    if not words:
        _print_help(sys.stderr)
        return USAGE
    noun, rest = words[0], words[1:]
    if noun in ("-h", "--help", "help"):
        _print_help(sys.stdout)
        return OK
    if noun in ("-V", "--version", "version"):
        sys.stdout.write(f"geomface {geomface.__version__}\n")
        return OK
    if noun not in NOUNS:
        near = difflib.get_close_matches(noun, NOUNS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        _complain(
            f"usage: there is no command {noun!r}.{hint} 'geomface --help' lists all commands."
        )
        return USAGE
    module = importlib.import_module(f"geomface.cli.{noun}")
    return module.GROUP.run(rest)


def _print_help(stream: TextIO) -> None:
    lines = [
        "usage: geomface COMMAND [OPTIONS]",
        "",
        "Raw face scans in, one template topology out.",
        "",
        "commands:",
        *(f"  {noun:<10} {line}" for noun, line in NOUNS.items()),
        "",
        "'geomface COMMAND --help' explains a command. Every command understands --debug",
        "(show the traceback of an error); 'geomface --version' prints the version.",
        "",
        "examples:",
        *(f"  {example}" for example in EXAMPLES),
        "",
        "exit codes: 0 all good, 1 failed, 2 usage, 3 finished with failed items, 130 interrupted",
    ]
    stream.write("\n".join(lines) + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(printable(text, "\n") + "\n")


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None:
        return OK
    return stop.code if isinstance(stop.code, int) else FAILED


def _describe_os_error(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return f"{reason}."
    return f"{error.filename}: {reason}. Check the path and its permissions."


if __name__ == "__main__":
    sys.exit(main())
