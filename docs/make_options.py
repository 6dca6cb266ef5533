"""Writes docs/options.md from the option classes: `python docs/make_options.py`."""

import dataclasses
import importlib
from pathlib import Path

from pgcxr.options import Options

# {command: where its options are}
CLASSES = {
    "pgcxr phantom": "pgcxr.phantom.options:PhantomOptions",
    "pgcxr curate": "pgcxr.curation.options:CurationOptions",
    "pgcxr export-deidentified": "pgcxr.privacy.deidentified.options:DeidentificationOptions",
    "python -m train.gan --set": "pgcxr.gan.config:GanConfig",
    "python -m train.classifier --set": "pgcxr.classifier.config:ClassifierConfig",
    "python -m train.anomaly --set": "pgcxr.anomaly.config:AnomalyConfig",
    "python -m train.encoder --set": "pgcxr.latent.encoder_config:EncoderConfig",
    "pgcxr generate": "pgcxr.sampling.options:GenerateOptions",
    "pgcxr edit": "pgcxr.editing.options:EditOptions",
    "pgcxr generate-labeled": "pgcxr.editing.options:MixOptions",
    "pgcxr screen": "pgcxr.screening.options:ScreeningOptions",
    "python -m evaluate.distribution": "evaluate.distribution.options:DistributionOptions",
    "python -m evaluate.fidelity": "evaluate.fidelity.options:FidelityOptions",
    "python -m evaluate.privacy": "evaluate.privacy.options:PrivacyOptions",
    "python -m evaluate.axes": "evaluate.axes.options:AxesOptions",
    "python -m evaluate.anomaly": "evaluate.anomaly.options:AnomalyOptions",
    "python -m evaluate.readers make": "evaluate.readers.options:StudyOptions",
    "python -m evaluate.readers analyze": "evaluate.readers.options:AnalysisOptions",
    "python -m evaluate.readers power": "evaluate.readers.options:PowerOptions",
    "python -m evaluate.study": "evaluate.study.options:StudyOptions",
}
HEAD = """# Options

Made from the option classes by `python docs/make_options.py`. Options of trainings are keys of
`--set key=value`; in Python and in config.json every option is a field of the class.
"""


def load(place: str) -> type[Options]:
    """The class at "module:Name"."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def page() -> str:
    """The text of docs/options.md."""
    parts = [HEAD]
    for command, place in CLASSES.items():
        options, keys = load(place), command.endswith("--set")
        spelled = {
            field.name: field.metadata["names"] or ("--" + field.name.replace("_", "-"),)
            for field in dataclasses.fields(options)
        }
        rows = []
        for name, default, rule, help in options.table():
            shown = f"`{name if keys else spelled[name][0]}`"
            cells = (shown, f"`{default}`" if default else "needed", rule, help)
            rows.append(f"| {' | '.join(map(_cell, cells))} |")
        parts.append(
            f"\n## {command.replace(' --set', '')}\n\n`{place.replace(':', '.')}`\n\n"
            "| option | default | what it may be | what it is |\n| --- | --- | --- | --- |\n"
            + "\n".join(rows)
            + "\n"
        )
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    Path(__file__).with_name("options.md").write_text(page(), encoding="utf-8")
