"""`geomface synth vae`: small VAEs of the factors of a population, to draw people from."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import tyro

from geomface.cli.inputs import require_output
from geomface.cli.options import CommonOptions, OutputFile
from geomface.cli.run import Run
from geomface.synthesis.factor_vae.settings import RecipeName


@dataclasses.dataclass(frozen=True)
class SynthVaeOptions:
    """VAEs of identity, expression, light and pose, fitted to the factors of a population.

    Options of 'synth faces' that draw from them: --identity 'vae(FILE)', --expression weights
    --expression-weights 'vae(FILE)', --light-coefficients 'vae(FILE)' and --pose 'vae(FILE)'.
    People, faces and lights are as those of the population, and none of them. The file's card says
    on what each was fitted and what it is worth on rows that were held out.
    """

    factors: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of 'synth factors', or of your own identity.npy, expression.npy, light.npy (27 numbers
    a row) and pose.npy (yaw, pitch, roll): whichever are there."""
    out: OutputFile
    """The file, *.safetensors."""
    recipe: RecipeName = "tiny"
    """tiny is for hundreds or thousands of rows, paper has the sizes and epochs of DiscoFaceGAN."""
    common: CommonOptions = CommonOptions()


def run_synth_vae(options: SynthVaeOptions, run: Run) -> int:
    """Read the factors, fit, write, tell."""
    from geomface.recognition.generator.populations import load_factors
    from geomface.synthesis.factor_vae.factor_vae import save_factor_vaes
    from geomface.synthesis.factor_vae.fitting import fit_factor_vaes, require_tables
    from geomface.synthesis.factor_vae.settings import factor_vae_recipe

    run.require_cpu()
    require_output(options.out, "--out", (".safetensors",))
    tables, record = load_factors(options.factors)
    tables = require_tables(tables)
    topology = record.get("topology_id")
    if topology is None and not {"identity", "expression"}.isdisjoint(tables):
        run.note(
            f"{options.factors}: there is no population.json, so it is not known of which face "
            "model these are: any of as many numbers will be drawn."
        )
    if options.common.dry_run:
        rows = ", ".join(f"{len(table)} rows of {name}" for name, table in tables.items())
        return run.plan([f"fit VAEs to {rows}", f"write {options.out}"])
    about = {
        "recipe": options.recipe,
        "people": record.get("people", len(tables.get("identity", ()))),
        "pictures": len(record.get("names", ())),
    }
    places = {name: place for place, name in enumerate(tables)}
    shown = 0
    with run.progress("fitting", 100 * len(tables)) as step:
        step(0)

        def tell(name: str, share: float) -> None:
            nonlocal shown
            done = int(100 * (places[name] + share))
            if done > shown:
                shown = done
                step(done, name)

        vaes = fit_factor_vaes(
            tables,
            factor_vae_recipe(options.recipe),
            seed=options.common.seed,
            topology_id=topology,
            about=about,
            on_progress=tell,
        )
    save_factor_vaes(options.out, vaes)
    run.finish({"out": options.out, "topology_id": topology, **vaes.card})
    _show(run, vaes.card["factors"])
    run.say(f"VAEs of {', '.join(tables)} in {options.out}, {run.seconds:.1f} s")
    return 0


def _show(run: Run, factors: dict[str, dict[str, Any]]) -> None:
    rows = []
    for name, told in factors.items():
        if "gamma" not in told:
            run.note(f"{name}: all rows are the same, and so will be what is drawn.")
            continue
        figures = (told["gamma"], told["log_likelihood"], told["log_likelihood_of_bells"])
        rows.append((name, str(told["rows"]), str(told["numbers"]), *(f"{x:.3f}" for x in figures)))
        if told["log_likelihood"] <= told["log_likelihood_of_bells"]:
            run.note(
                f"{name}: the VAE knows no more of {told['held_out']} rows that were held out than "
                "the mean and spread of each number: there is nothing else to learn, or there are "
                "too few rows."
            )
    header = ("", "rows", "numbers", "gamma", "log likelihood", "of mean and spread alone")
    if rows:
        run.table(header, rows)
        run.say("gamma: what is left to chance, in units of the spread of the numbers")
        run.say("log likelihood: of rows that were held out, nats a number in the same units;")
        run.say("more is better, and it is positive (the loss negative) where gamma is small")
