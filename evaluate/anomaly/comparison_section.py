"""The section of the chapter that puts every method into one table."""

from evaluate.thesis import words
from pgcxr.cohort.findings import TABLE_6
from pgcxr.plots.page import Page

# In the order of the tables; in words.
METHODS = {
    "mean_image": "mean image, z-score",
    "pca_residual": "PCA residual",
    "pca_distance": "distance within the components",
    "autoencoder": "auto-encoder residual",
    "gradients": "gradient energies of the aligned image",
    "knn": "kNN on the network's features",
    "padim": "PaDiM on the network's features",
    "network": "network, artificial anomalies",
    "fusion": "fusion",
    "inversion": "GAN, latent inversion",
    "supervised": "supervised, five findings",
    "bound": "the same network, supervised, all classes",
}


def comparison_section(page: Page, found: dict) -> None:
    """Three tables: of all, by class, and by size of the lesion."""
    methods = {name: found["methods"][name] for name in METHODS if name in found["methods"]}
    images, tried = found["images"], found["components_tried"]
    fused = ", ".join(f"{METHODS[name]} {share:g}" for name, share in found["fused"].items())
    page.text(
        f"Every method on the test images: {images['normal']} normal and {images['abnormal']} "
        "abnormal ones of thesis Table 6, unless its row says otherwise. All but the supervised "
        f"learned from normal images alone, the baselines from {images['learned']} of split train. "
        f"Left out: {images['without_class']} abnormal test images of none of these classes.",
        "The threshold of each is set on held-out normals (all methods but the inversion: "
        f"{images['healthy']}) for a specificity of {found['specificity_aimed_at']:.0%}; with "
        f"95 % confidence it has {found['specificity_limit']:.1%} or more.",
        "The fusion is a weighted mean, each score in units of its own spread over held-out "
        f"normals ({fused}). The number of components, {found['components']} of "
        f"{', '.join(tried)}, was chosen on artificial anomalies in held-out normals; nothing was "
        "chosen on the test images.",
    )
    page.table(
        [
            "Method",
            "Images",
            "AUROC, mean of the classes",
            "95 % interval",
            "Sensitivity, mean of the classes",
            "Specificity",
            "95 % interval",
            "AUROC over pixels",
            "AUPRO",
            "FROC",
            "Peak in the lesion",
            "of detected",
        ],
        [_row(name, one) for name, one in methods.items()],
        "All methods. Intervals of areas: bootstrap of patients within their classes; of "
        "specificities: exact. AUPRO: mean overlap with lesions up to 30 % false pixels (0.15 by "
        "chance); FROC: share of lesions found, mean at 1/8 to 8 false marks in a normal image.",
    )
    page.table(
        ["AUROC", "n", *(METHODS[name] for name in methods)],
        [
            (
                words(name),
                max(one["classes"][name]["n"] for one in methods.values()),
                *(one["classes"][name]["auroc"] for one in methods.values()),
            )
            for name in TABLE_6
            if any(one["classes"][name]["n"] for one in methods.values())
        ],
        "By class, against all normal images.",
    )
    _by_size(page, methods, found)
    if found.get("inversion_adds"):
        _added(page, found["inversion_adds"])


def _added(page: Page, added: dict) -> None:
    page.table(
        ["Network and ...", "AUROC, mean of the classes", "Difference", "95 % interval"],
        [
            ("nothing", added["network"], None, None),
            *(
                (
                    f"the inversion, weight {row['weight']:g}",
                    row["macro_auroc"],
                    row["difference"],
                    row["ci95"],
                )
                for row in added["together"]
            ),
        ],
        f"What the inversion adds to the network, on the {added['n']} images that both read, each "
        "score in units of its own spread over held-out normals. No weight was chosen.",
    )


def _row(name: str, one: dict) -> tuple:
    where = one["localisation"] or {}
    return (
        METHODS[name],
        one["n"]["normal"] + one["n"]["abnormal"],
        one["macro_auroc"],
        one["macro_auroc_ci95"],
        one["sensitivity"],
        one["specificity"],
        one["specificity_ci95"],
        where.get("pixel_auroc"),
        where.get("aupro"),
        (where.get("froc") or {}).get("mean"),
        where.get("hit_rate"),
        where.get("hit_rate_of_detected"),
    )


def _by_size(page: Page, methods: dict, found: dict) -> None:
    """Sizes of lesions, where masks are known, and images without devices, where that is."""
    images = found["images"]
    first = next(iter(methods.values()))
    sizes = [size for size, row in first["by_size"].items() if row["n"]]
    header = ["Method"]
    header += [f"lesion {size} of the image (n {first['by_size'][size]['n']})" for size in sizes]
    without = images["with_device"] is not None
    if without:
        header.append(f"without the {images['with_device']} images with a device")
    if len(header) == 1:
        return
    rows = []
    for name, one in methods.items():
        cells = [_both(one["by_size"][size]) for size in sizes]
        if without:
            kept = one["without_devices"]
            cells.append(_both({"auroc": kept["macro_auroc"], "sensitivity": kept["sensitivity"]}))
        rows.append((METHODS[name], *cells))
    page.table(
        header,
        rows,
        f"AUROC / sensitivity by the size of the lesion ({images['with_mask']} images whose mask "
        "is known, all classes together)"
        + (", and of all images without support devices (means of the classes)." * without or "."),
    )


def _both(row: dict) -> str | None:
    if row["auroc"] is None:
        return None
    return f"{row['auroc']:.3f} / {row['sensitivity']:.2f}"
