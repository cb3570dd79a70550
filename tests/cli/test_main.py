"""The command line as a whole: help, exit codes, errors as sentences, speed."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest

from geomface.cli import main as entry
from geomface.cli.command import Command
from geomface.cli.main import NOUNS, main
from geomface.errors import GeomfaceError

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    (noun, verb)
    for noun in NOUNS
    for verb in importlib.import_module(f"geomface.cli.{noun}").GROUP.commands
]

CONTRACT = [
    "doctor --json",
    "demo --out DIR",
    "register --template T --template-landmarks TL.json --scan S --landmarks L.json --out M.ply"
    " --report R.json",
    "register --scan S --no-landmarks --out M.ply",
    "unwrap --template T --template-landmarks TL.json --out U.obj --report R.json"
    " --regions G.json --share eyes=0.1 mouth=0.1",
    "geoimage encode --template U.obj --mesh M.ply --size 256 --bits 8 --out G.png",
    "geoimage encode --template U.obj --mesh M.ply --size 256 --out G.safetensors",
    "geoimage decode --template U.obj --image G.png --out M.ply",
    "bake --template U.obj --mesh M.ply --scan S --size 1024 --out T.png --mask V.png",
    "model fit --meshes DIR/*.ply --k 5 --out M.safetensors",
    "model fit --meshes DIR/*.ply --variance 0.98 --out M.safetensors",
    "model sample --model M --count 3 --seed 1 --out DIR",
    "model project --model M --mesh X.ply --out Y.ply --report R.json",
    "model convert --source ict --input FILE --out M.safetensors",
    "model evaluate --model M --meshes DIR/*.ply --report R.json",
    "model fit-scan --model M --scan S.ply --landmarks L.json --out Y.ply --report R.json",
    "model fit-landmarks --model M --landmarks L.json --out Y.ply --report R.json",
    "model fit-landmarks --landmarks L.json --out Y.ply --image-size 640 480",
    "model fit-image P.png --landmarks L.json --model M --out DIR",
    "model fit-image A.jpg B.jpg --landmarks A.json B.json --out DIR",
    "model export --model M --out M.h5",
    "model show --model M",
    "landmarks detect --scan S --out L.json --picture P.png",
    "synth scans --model M --count 3 --seed 1 --out DIR",
    "pipeline run --template T --scans DIR --out DIR --workers 2 --executor processes"
    " --resume auto",
    "pipeline run --scans DIR --out DIR --executor serial",
    "pipeline status DIR",
    "pipeline retry DIR",
    "pipeline verify DIR",
    "render --mesh M.ply --out P.png",
    "train progressive_texture --out RUN",
    "train progressive_texture --out RUN --data DIR --recipe tiny --kind geometry --masking clean"
    " --size 64 --loss wgan-gp --steps 10 --held-out 0.2 --resume must --init-from C.safetensors"
    " --budget-minutes 5 --precision bfloat16 --compile",
    "train progressive_texture --out RUN --data DIR --mirror --arm unmasked",
    "sample progressive_texture RUN --out DIR --count 16 --pairs DIR"
    " --assignment nearest --format glb",
    "evaluate progressive_texture RUN --count 100 --data DIR --test DIR --report R.json",
    "train factored_geometry --out RUN --data DIR --labels L.csv --recipe tiny --arm ac-gan"
    " --noise 2 --factors identity=6,expression=4 --loss wgan-gp --size 16 --held-out 0.2 --bits 8",
    "train factored_geometry --out RUN --people 5 --faces 4 --labelled 0.5 --mixtures 0.1"
    " --region all --data-seed 2",
    "sample factored_geometry RUN --people 4 --expressions 8 --out DIR --format obj glb"
    " --morph-targets",
    "evaluate factored_geometry RUN --baselines pca truth --fit 5 --report R.json --data builtin",
    "fit factored_geometry RUN A.ply B.ply --out DIR --random-restarts 4 --hide left --align",
    "edit factored_geometry RUN --identity A.ply random --expression happy B.ply --share 0.5 1"
    " --add --out DIR",
    "report DIR",
]
"""The lines that scripts rely on; their options must stay what they are."""


@pytest.mark.parametrize("line", CONTRACT)
def test_contract_lines_parse(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noun = line.split()[0]
    group = importlib.import_module(f"geomface.cli.{noun}").GROUP
    seen: list[Any] = []
    for verb, command in list(group.commands.items()):

        def record(options: Any, run: Any) -> int:
            seen.append(options)
            return 0

        monkeypatch.setitem(group.commands, verb, Command(command.options, record))
    for extra in ([], ["--dry-run", "--json", "--quiet", "--seed", "3", "--device", "cpu"]):
        assert main([*line.split(), *(word for word in extra if word not in line)]) == 0
    assert len(seen) == 2
    assert seen[1].common.dry_run and seen[1].common.quiet


@pytest.mark.parametrize(("noun", "verb"), COMMANDS)
def test_every_command_has_help(noun: str, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([noun, *([verb] if verb else []), "--help"]) == 0
    text = capsys.readouterr().out
    command = importlib.import_module(f"geomface.cli.{noun}").GROUP.commands[verb]
    assert command.summary in text
    assert f"usage: geomface {noun} {verb}".strip() in text
    for flag in ("--dry-run", "--json", "--quiet", "--seed", "--device"):
        assert flag in text
    for nothing in ("{None}", "(default: )", "(default: None)"):
        assert nothing not in text, "an optional value reads as such"


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_lists_its_verbs(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    group = importlib.import_module(f"geomface.cli.{noun}").GROUP
    assert group.noun == noun
    assert main([noun, "--help"]) == 0
    text = capsys.readouterr().out
    for verb in group.commands:
        assert verb in text


def test_top_help_lists_every_noun(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for noun, line in NOUNS.items():
        assert noun in text and line in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("geomface 0.")


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        ([], "usage: geomface COMMAND"),
        (["registr"], "Did you mean 'register'?"),
        (["nonsense"], "there is no command 'nonsense'"),
        (["pipeline"], "usage: geomface pipeline COMMAND"),
        (["pipeline", "rum"], "Did you mean 'run'?"),
        (["register", "--scan", "a.ply"], "--out"),
        (["register", "--scan", "a.ply", "--out", "b.ply", "--nonsense"], "--nonsense"),
        (["synth", "scans", "--out", "x", "--count", "many"], "--count"),
        (["register", "--scan", "a", "--out", "b", "--device", "tpu"], "--device"),
    ],
)
def test_usage_errors_exit_2(
    argv: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert hint in captured.err
    assert captured.out == ""


def named(function: types.FunctionType, module: str) -> types.FunctionType:
    """Return a function as if it stood in another module."""
    names = function.__globals__ | {"__name__": module}
    return types.FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )


def raising(error: BaseException) -> Any:
    def run(words: list[str]) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (GeomfaceError("expected a, got b."), 1, "error: expected a, got b."),
        (PermissionError(13, "Permission denied", "x.ply"), 1, "error: x.ply: Permission denied"),
        (ZeroDivisionError("by zero"), 1, "unexpected ZeroDivisionError"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (SystemExit(2), 2, ""),
        (SystemExit(None), 0, ""),
    ],
)
def test_errors_become_sentences_and_codes(
    error: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("GEOMFACE_DEBUG", raising=False)
    monkeypatch.setattr(entry, "_dispatch", raising(error))
    assert main(["demo"]) == code
    text = capsys.readouterr().err
    assert sentence in text
    assert "Traceback" not in text


def test_a_request_to_terminate_is_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(words: list[str]) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
        return 0

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(entry, "_dispatch", named(run, "geomface.tested"))
    assert main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupt_waits_for_code_that_cannot_pass_it_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    seen = []

    def kernel(times: int) -> None:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
        seen.append(times)

    def run(words: list[str]) -> int:
        kernel(int(words[0]))
        time.sleep(10)
        return 0

    kernel = named(kernel, "numba.core")  # type: ignore[arg-type,assignment]
    monkeypatch.setattr(entry, "_dispatch", named(run, "geomface.tested"))
    try:
        assert main(["1"]) == 130 and seen == [1]  # once it has returned
        assert main(["2"]) == 130 and seen == [1]  # the second one does not wait
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("way", ["flag", "environment"])
def test_debug_shows_the_traceback(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_dispatch", raising(GeomfaceError("here")))
    if way == "environment":
        monkeypatch.setenv("GEOMFACE_DEBUG", "1")
    with pytest.raises(GeomfaceError, match="here"):
        main(["demo", *(["--debug"] if way == "flag" else [])])


def test_doctor_dry_run_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "--dry-run"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["ok"] and record["cores"] >= 1
    assert set(record["extras"]) >= {"open3d", "pytorch3d"}
    assert record["versions"]["torch"] != "missing"


LIGHT = {"geomface", "tyro", "typeguard", "docstring_parser", "typing_extensions"}
"""What a help text may load beside the standard library: a clock would measure the machine."""
LOADED = """
import contextlib, io, json, sys
before = set(sys.modules)
{then}
new = {{name.split(".")[0] for name in set(sys.modules) - before}}
print(json.dumps(sorted(new - set(sys.stdlib_module_names))))
"""
HELP = """
from geomface.cli.main import main
with contextlib.redirect_stdout(io.StringIO()):
    for words in json.loads(sys.argv[1]):
        assert main([*words, "--help"]) == 0, words
"""


def loaded_by(then: str, *words: str) -> set[str]:
    """Return the top-level modules, but for the standard library's, that a new process loads."""
    command = [sys.executable, "-c", LOADED.format(then=then), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_import_is_light() -> None:
    assert loaded_by("import geomface") == {"geomface"}


def test_help_of_all_commands_is_light() -> None:
    assert loaded_by(HELP, json.dumps([[]])) == {"geomface"}
    every = [[noun] for noun in NOUNS] + [[noun, verb] for noun, verb in COMMANDS if verb]
    loaded = loaded_by(HELP, json.dumps(every))
    if loaded <= LIGHT:
        return
    for words in every:  # say which one
        alone = loaded_by(HELP, json.dumps([words]))
        assert alone <= LIGHT, f"geomface {' '.join(words)} --help loads {sorted(alone - LIGHT)}"


def test_exit_code_of_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "geomface", "nonsense"], capture_output=True, text=True
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
