"""`geomface evaluate`: measure a trained system, one verb a system, or a set of face pictures."""

import dataclasses

from geomface.cli.command import Command
from geomface.cli.evaluate_faces import EvaluateFacesOptions, run_evaluate_faces
from geomface.cli.learned.systems import verb_group

_SYSTEMS = verb_group("evaluate", "Measure a trained system, or a set of face pictures.")
GROUP = dataclasses.replace(
    _SYSTEMS,
    commands={**_SYSTEMS.commands, "faces": Command(EvaluateFacesOptions, run_evaluate_faces)},
)
