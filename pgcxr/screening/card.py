"""The card of a screening model: what it learned from, what it finds, and what it is not for."""

from collections.abc import Mapping

FOR = (
    "**For**: research on anomaly detection. **Not a medical device**: not for diagnosis, triage "
    "or any decision about a patient; whatever it says of an image, a radiologist reads it."
)


def text(name: str, about: Mapping) -> str:
    """The card in Markdown.

    Args:
        name: of the model.
        about: as screening.json has it: `data`, `figures`, `specificity`, `specificity_limit`,
            `preparation`, `made_by`.
    """
    data, figures = about["data"], about["figures"]
    parts = [f"# Screening model: {name}", FOR, _data(data), _preparation(about["preparation"])]
    parts += [_figures(about, figures), _table(figures["classes"]), _limits(data)]
    made_by = about["made_by"]
    versions = ", ".join(f"{key} {value}" for key, value in made_by["versions"].items())
    parts.append(f"Made by `{made_by['command']}`, seed {made_by['seed']}; {versions}.")
    return "\n\n".join(parts) + "\n"


def _data(data: Mapping) -> str:
    return (
        f"**Data**: components and domain were learned from {data['learned']:,} normal images, "
        f"networks from normal images alone; scores are compared with those of {data['healthy']:,} "
        f"held-out normal images of other patients, and figures are of {data['normal']:,} normal "
        f"and {data['abnormal']:,} abnormal test images of others again."
    )


def _preparation(preparation: Mapping) -> str:
    rules = preparation["rules"]
    asked = []
    if rules["view"]["enabled"]:
        asked.append(f"views {', '.join(rules['view']['allowed'])}")
    if rules["age"]["enabled"]:
        asked.append(f"ages {rules['age']['minimum']:g} to {rules['age']['maximum']:g}")
    if rules["modality"]["enabled"]:
        asked.append(f"modalities {', '.join(rules['modality']['allowed'])}")
    if rules["manufacturer"]["enabled"]:
        asked.append(f"makers {', '.join(rules['manufacturer']['allowed'])} (others are flagged)")
    return (
        f"**Images**: as the cohort's: {'; '.join(asked) or 'any'}. They are brought to "
        f"{preparation['size']} px ({preparation['fit']}, {preparation['normalize']}) and read at "
        f"{', '.join(map(str, preparation['sides']))} px."
    )


def _figures(about: Mapping, figures: Mapping) -> str:
    low, high = figures["specificity_ci95"]
    return (
        f"**Figures**: AUROC, mean over the classes, {figures['macro_auroc']:.3f}. The threshold "
        f"aims at a specificity of {about['specificity']:.0%}; with {about['data']['healthy']:,} "
        f"held-out normals it is {about['specificity_limit']:.1%} at least (exact lower limit, "
        f"95 %). On normal test images it was {figures['specificity']:.1%} ({low:.1%} to "
        f"{high:.1%}), and the mean sensitivity over the classes {figures['sensitivity']:.1%}."
    )


def _table(classes: Mapping) -> str:
    lines = ["| class | n | AUROC | sensitivity (95 % interval) |", "| --- | --- | --- | --- |"]
    for name, row in classes.items():
        if not row["n"]:
            continue
        area = "" if row["auroc"] is None else f"{row['auroc']:.3f}"
        low, high = row["ci95"]
        found = f"{row['sensitivity']:.0%} ({low:.0%} to {high:.0%})"
        lines.append(f"| {name.replace('_', ' ')} | {row['n']} | {area} | {found} |")
    return "\n".join(lines)


def _limits(data: Mapping) -> str:
    return (
        "**Limits**: a p-value says how unusual an image is among normal images of the same kind "
        "(machines, views, ages, prevalence of devices) as those it was calibrated with; of images "
        "of another kind it says nothing, and not all of these are told. An image that is not "
        f"anomalous here may show a disease: see the sensitivities. {data['note']}".strip()
    )
