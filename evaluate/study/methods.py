"""The methods, with the parameters that the steps were run with, as their reports have them."""

from evaluate.study import chapters
from evaluate.thesis import listed, percent, words
from pgcxr.plots.page import Page

# Places and digests, which may name a hospital, and what the prose has.
LEFT_OUT = (
    *("cohort", "manifest_sha256", "rules", "rules_file", "columns", "seed", "weights_file"),
    *("codes_file", "labels_file", "device_model", "black_out", "init", "features"),
)


def methods(page: Page, steps: dict, phantom: bool) -> None:
    """Adds the section: a paragraph for each step, then all parameters."""
    page.section("Methods")
    for heading, text in (
        ("Images", _images(steps["cohort"], chapters.export(steps, phantom))),
        ("Progressive GANs", _gans(steps)),
        ("Classifiers", _classifiers(steps)),
        ("How real: three steps", _fidelity(steps["fidelity"])),
        ("Axes", _axes(steps["axes"])),
        ("Anomalies", _anomaly(steps)),
        ("Sets and privacy", _sets(steps)),
    ):
        page.heading(heading).text(text)


def parameters(page: Page, steps: dict) -> None:
    """A table of every step's parameters."""
    rows = []
    for name, report in steps.items():
        config = report.get("made_by", {}).get("config", {})
        told = {key: value for key, value in config.items() if key not in LEFT_OUT}
        said = "; ".join(f"{key} {_value(value)}" for key, value in told.items() if _told(value))
        rows.append((name, said or "none"))
    page.table(
        ["Step", "Parameters"],
        rows,
        "Parameters of every step, by the names of docs/options.md; those that are empty or off "
        "are left out.",
    )


def _told(value) -> bool:
    return value not in (None, "", False, {}, [])


def _value(value) -> str:
    if isinstance(value, bool):
        return "yes"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return str(value)


def _images(cohort: dict, export: str) -> str:
    config = cohort["made_by"].get("config", {})
    rules, split = config.get("rules", {}), config.get("split")
    parts = [
        f"{cohort['collected']:,} images of {export} were decoded, scaled to "
        f"{cohort['size']} px ({cohort.get('fit', 'pad')}) and {cohort.get('bits', 8)} bits after "
        f"normalization by {_normalization(cohort)}."
    ]
    allowed = [
        f"{name} {' or '.join(map(str, rules[name]['allowed']))}"
        for name in ("modality", "manufacturer", "view")
        if rules.get(name, {}).get("enabled") and rules[name].get("allowed")
    ]
    if rules.get("age", {}).get("enabled"):
        allowed.append(f"age {rules['age']['minimum']:g} or more")
    if allowed:
        parts.append(f"Kept were those of {listed(allowed)}; Figure 1 has every rule.")
    if "labels" in cohort:
        parts.append(f"Normal or abnormal by {cohort['labels']['policy']}.")
    if split:
        parts.append(
            f"Split by patient into training, validation and test: "
            f"{' / '.join(percent(share) for share in split)}."
        )
    return " ".join(parts)


def _normalization(cohort: dict) -> str:
    name, _, at = str(cohort.get("normalise", "")).partition(":")
    return f"the {at}th percentile" if name == "percentile" and at else name or "none"


def _gans(steps: dict) -> str:
    gan = steps["gan"]
    config = gan["made_by"]["config"]
    ema = config.get("ema_halflife_kimg")
    average = f"with a half-life of {ema:g} kimg" if ema else f"by {config.get('ema_beta')} a step"
    shown = {name: f"{steps[name]['kimg']:,.1f} kimg" for name in ("gan", "gan_normal")}
    first = config["lod_initial_resolution"] or gan["resolution"]
    grown = (
        f"from {first} px to {gan['resolution']} px, each resolution fading in over "
        f"{config['lod_transition_kimg']:g} and training for {config['lod_training_kimg']:g} "
        "thousand images (kimg)"
        if first < gan["resolution"]
        else f"at {first} px throughout, counted in thousands of images (kimg)"
    )
    return (
        f"PGGAN (Karras et al. 2018) {grown}: latent vectors of {config['latent_size']} numbers, "
        f"at most {config['fmap_max']} feature maps, {gan['generator_parameters']:,} parameters in "
        f"the generator and {gan['discriminator_parameters']:,} in the discriminator. Loss: "
        f"WGAN-GP, penalty {config['gradient_penalty']:g}, drift {config['drift']:g}. Adam with a "
        f"learning rate of {config['lrate_base']:g} from minibatches of "
        f"{config['minibatch_base']}; images are of the generator averaged {average}. The GAN of "
        f"all images was shown {shown['gan']} ({gan['images']:,} images), that of normal ones "
        f"{shown['gan_normal']} ({steps['gan_normal']['images']:,})."
    )


def _classifiers(steps: dict) -> str:
    binary = steps["classifier_binary"]
    config = binary["made_by"]["config"]
    counts = {split: sum(counts.values()) for split, counts in binary["images"].items()}
    return (
        f"{binary['architecture']}, {binary['parameters']:,} parameters, {config['size']} px; one "
        "with a sigmoid output for abnormal, one with six (normal and the five findings). "
        f"{counts['train']:,} images to train on, {counts['val']:,} to choose the best of "
        f"{config['epochs']} epochs, {counts['test']:,} to test. Learning rate "
        f"{config['learning_rate']:g}, batches of {config['batch_size']}"
        + (", classes weighted to be equal" if config.get("balance") else "")
        + "."
    )


def _fidelity(report: dict) -> str:
    config, labels = report["made_by"]["config"], report["pseudo_labels"]
    rounds = config.get("seeds", 1)
    return (
        f"A synthetic image is called abnormal where P(abnormal) > {config['abnormal_above']:g}, "
        f"normal where it is < {config['normal_below']:g}, and dropped otherwise: "
        f"{labels['generated']:,} were generated, {labels['rejected']:,} dropped. Margin of "
        f"non-inferiority {config['margin']:g} in AUROC, set before; classifiers were trained "
        f"{rounds} time{'s' * (rounds > 1)}."
    )


def _axes(report: dict) -> str:
    config, starts = report["made_by"]["config"], report["starts"]
    chosen = "the best of all" if config["way"] == "best" else config["way"]
    return (
        f"{report['samples']:,} synthetic images, {percent(config['held_out'])} held out; the way "
        f"to an axis: {chosen}. Walks from {sum(starts.values())} normal-looking images in "
        f"{config['steps']} steps; p-values from {config['permutations']:,} permutations, "
        f"stability from {config['bootstraps']} refits. An axis counts as {report['criterion']}."
    )


def _anomaly(steps: dict) -> str:
    report = steps["anomaly"]
    config, healthy = report["made_by"]["config"], report["healthy"]
    network = steps["anomaly_network"]["made_by"]["config"]
    tested = [words(name).lower() for name, row in report["classes"].items() if row["n"]]
    return (
        f"Inversion: {config['iterations']} iterations of Adam from the {config['starts']} nearest "
        f"of {config['bank']:,} known images, loss {config['loss'].upper()} (mean pairwise squared "
        "error), then "
        f"a model of healthy differences from {healthy['familiar']['n']} normals. Threshold for a "
        f"specificity of {percent(config['specificity'])} from {healthy['n']} held-out normals. "
        f"The network of artificial anomalies was trained for {network['epochs']} epochs on normal "
        f"images. Tested on {report['normals']['n']} normal images and up to "
        f"{config['per_class']} of each of {len(tested)} classes: {listed(tested)}."
        if report.get("method", "inversion") == "inversion"
        else f"No GAN was inverted. The network of artificial anomalies was trained for "
        f"{network['epochs']} epochs; threshold for a specificity of "
        f"{percent(config['specificity'])} from {healthy['n']} held-out normals."
    )


def _sets(steps: dict) -> str:
    sets, privacy = steps["distribution"], steps["privacy"]
    config = sets["made_by"]["config"]
    return (
        f"Distances between sets: {sets['n']:,} synthetic and as many held-out real images, in "
        f"{sets['features']['dimensions']} features of the binary classifier; intervals from "
        f"{config['replicates']} random halves by patient, p from {config['permutations']} "
        f"permutations. Privacy: {privacy['n']:,} synthetic images against "
        f"{privacy['training_images']:,} training images and the images of "
        f"{privacy['held_out_patients']:,} held-out patients, each test at a level of "
        f"{privacy['alpha']:g}."
    )
