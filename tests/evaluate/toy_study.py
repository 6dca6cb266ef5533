"""The reports of a small study's steps, as its report's own chapters read them."""

from pgcxr.cohort.findings import FINDINGS


def interval(value: float) -> dict:
    return {"auroc": value, "auroc_ci95": [value - 0.02, value + 0.02]}


def _made(command: str, **config) -> dict:
    versions = {"pgcxr": "0.1.0", "tensorflow": "2.16.2"}
    return {"made_by": {"command": command, "seed": 2026, "config": config, "versions": versions}}


def toy_steps(c_t: float = 17.1, passed: bool = True) -> dict:
    """{step: report}."""
    split = {"images": 300, "patients": 250, "normal": 100, "abnormal": 200}
    gan = {"resolution": 16, "images": 300, "kimg": 1.0, "generator_parameters": 79140}
    gan |= {"discriminator_parameters": 63170}
    config = {"lod_initial_resolution": 4, "latent_size": 64, "fmap_max": 32, "minibatch_base": 8}
    config |= {"lod_transition_kimg": 0.2, "lod_training_kimg": 0.3, "gradient_penalty": 10.0}
    config |= {"drift": 0.001, "lrate_base": 0.0015, "ema_halflife_kimg": 0.5}
    made = _made("train.gan", **config, cohort="/data/Saint Mary", init=[])
    network = {"architecture": "residual net", "parameters": 128449}
    network |= {
        "images": {name: {"normal": 10, "abnormal": 20} for name in ("train", "val", "test")}
    }
    network |= _made("train.classifier", size=16, epochs=7, learning_rate=0.003, batch_size=32)
    test = {name: interval(0.6 if name == "nodule" else 0.9) for name in FINDINGS}
    arms = {
        name: interval(value) | {"clustered": {"bootstrap": {"resamples": 2000}}}
        for name, value in (("real_on_real", 0.95), ("synthetic_on_real", 0.85))
    }
    methods = {"macro_auroc": 0.69, "macro_auroc_ci95": [0.65, 0.73], "sensitivity": 0.19}
    methods |= {"specificity": 0.96, "n": {"normal": 377}, "classes": {"nodule": {"n": 12}}}
    row = {"n": 12, "detected": 1, "sensitivity": 1 / 12, "ci95": [0.0, 0.4]}
    axes = {name: {"found": name == "pneumothorax"} for name in FINDINGS}
    fidelity = {"abnormal_above": 0.7, "normal_below": 0.3, "margin": 0.05}
    anomaly = {"iterations": 3, "starts": 2, "bank": 2048, "loss": "mpse", "specificity": 0.95}
    of_axes = {"way": "best", "held_out": 0.2, "steps": 17, "permutations": 999, "bootstraps": 50}
    measure = {"gan": {"value": 61.3}, "floor": {"value": 17.3}}
    return {
        "cohort": {
            **{"source": "pacs", "collected": 500, "images": 460, "patients": 400, "size": 64},
            **{"normalise": "percentile:99", "labels": {"policy": "codes"}},
            "table2": {"train": split, "test": split},
            **_made("pgcxr curate", split=[0.6, 0.2, 0.2], rules={}, rules_file="/data/secret"),
        },
        "gan": gan | made,
        "gan_normal": gan | made | {"images": 100},
        "classifier_binary": network,
        "classifier_findings": network | {"test": test},
        "anomaly_network": {"parameters": 101154, **_made("train.anomaly", epochs=2)},
        "fidelity": {
            **arms,
            "pseudo_labels": {"generated": 1000, "rejected": 270},
            "comparison": {"non_inferiority": {"margin": 0.05, "passed": False}},
            **_made("evaluate.fidelity", **fidelity),
        },
        "distribution": {
            **{"n": 64, "features": {"dimensions": 256}, "gan_wins": {"fid": False, "kid": True}},
            "metrics": {"fid": measure},
            **_made("evaluate.distribution", replicates=100, permutations=200),
        },
        "privacy": {
            **{"passed": passed, "reasons": ["4 copies"], "n": 200, "training_images": 300},
            **{"held_out_patients": 150, "alpha": 0.00125},
            "spaces": {name: {"c_t": {"z": c_t}} for name in ("features", "pixels")},
            **_made("evaluate.privacy"),
        },
        "axes": {
            **{"samples": 300, "starts": {"chosen": 30, "reported": 30}, "axes": axes},
            **{"criterion": "found: so", **_made("evaluate.axes", **of_axes)},
        },
        "anomaly": {
            **{"healthy": {"n": 150, "familiar": {"n": 300}}, "normals": {"n": 150}},
            **{"classes": {"nodule": row}, "overall": {"auroc": 0.5}, "seconds_per_image": 0.1},
            "comparison": {"methods": {"fusion": methods, "inversion": methods}},
            **_made("evaluate.anomaly", per_class=12, **anomaly),
        },
    }
