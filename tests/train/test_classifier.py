"""`python -m train.classifier`: RUN, what it refuses, and what it says."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from pgcxr.classifier.training import predict
from pgcxr.cli import command
from pgcxr.cohort import manifest as cohorts
from tests.toy_cohort import spots, write_cohort
from train.classifier.__main__ import app
from train.common import load_config

TINY = (
    "size=16",
    "blocks=1,",
    "width=8",
    "stem=small",
    "momentum=0.8",
    "epochs=5",
    "batch_size=16",
    "patience=9",
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("classifier") / "cohort", *spots(300, 16, seed=4))


def _call(*arguments) -> int:
    with pytest.raises(SystemExit) as stopped:
        command.run(app, [str(argument) for argument in arguments])
    return stopped.value.code or 0


def _train(cohort, out, labels="binary", *more) -> int:
    return _call(
        cohort,
        "--labels",
        labels,
        "--out",
        out,
        "--config",
        "demo",
        *sum((["--set", s] for s in TINY), []),
        *more,
    )


def _edit(cohort, folder, change):
    """A copy of the cohort's manifest, changed; the images stay where they are."""
    rows = pd.read_csv(cohort / "manifest.csv", dtype=str, keep_default_na=False)
    folder = cohort.parent / folder
    folder.mkdir(exist_ok=True)
    if not (folder / "images").exists():
        (folder / "images").symlink_to(cohort / "images")
    change(rows).to_csv(folder / "manifest.csv", index=False)
    return folder


def test_binary_run(cohort, capsys):
    out = cohort.parent / "binary"
    (cohort.parent / ".binary.partial").mkdir()  # what a killed training leaves
    (cohort.parent / ".binary.partial" / "config.json").write_text("{}")
    assert _train(cohort, out) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "classifier.keras",
        "config.json",
        "logs",
        "report.json",
    ]
    assert list(out.glob("logs/**/events*")) and not (cohort.parent / ".binary.partial").exists()
    config, report = (
        json.loads((out / name).read_text()) for name in ("config.json", "report.json")
    )
    assert (
        config["outputs"] == ["abnormal"] and config["labels"] == "binary" and config["size"] == 16
    )
    assert (out / config["cohort"]).resolve() == cohort.resolve() and not config[
        "cohort"
    ].startswith("/")
    assert report["architecture"] == "residual net, blocks 1, width 8, small stem (not ResNet-50)"
    assert (
        report["seconds"] > 0
        and report["parameters"] == keras.models.load_model(out / "classifier.keras").count_params()
    )

    # The report's area is that of the saved network on split test, by scikit-learn.
    from sklearn.metrics import roc_auc_score

    test = cohorts.load(cohort).select(split="test")
    scores = predict(keras.models.load_model(out / "classifier.keras"), test.images(16))[:, 0]
    found = report["test"]["abnormal"]
    assert (
        found["auroc"] == pytest.approx(roc_auc_score(test.binary(), scores))
        and found["auroc"] > 0.85
    )
    assert found["positive"] + found["negative"] == len(test) == 60
    assert found["auroc_ci95"][0] <= found["auroc"] <= found["auroc_ci95"][1]

    written = (out / "classifier.keras").stat().st_mtime_ns
    capsys.readouterr()
    assert _train(cohort, out) == 0
    assert (
        "finished" in capsys.readouterr().out
        and (out / "classifier.keras").stat().st_mtime_ns == written
    )
    assert _train(cohort, out, "binary", "--seed", 1) == 2
    assert "seed = 0, not 1" in capsys.readouterr().err
    other = _edit(cohort, "other", lambda rows: rows.iloc[5:])
    assert _train(other, out) == 2
    assert "manifest_sha256" in capsys.readouterr().err
    (out / "classifier.keras").unlink()
    assert _train(cohort, out) == 2
    assert "lacks classifier.keras" in capsys.readouterr().err


def test_findings_run_with_unknown_labels(cohort):
    def hide(rows):
        rows.loc[rows.index[::7], "nodule"] = ""
        # Abnormal with none of the five findings: not of the study (thesis 1.2).
        rows.loc[rows.index[rows["label"] == "normal"][:10], "label"] = "abnormal"
        return rows

    changed = _edit(cohort, "unknown", hide)
    out = cohort.parent / "findings"
    assert _train(changed, out, "findings", "--set", "epochs=2") == 0
    report = json.loads((out / "report.json").read_text())
    assert (
        report["outputs"][:2] == ["normal", "nodule"] == list(report["test"])[:2]
        and len(report["outputs"]) == 6
    )
    rows = pd.read_csv(changed / "manifest.csv", dtype=str, keep_default_na=False)
    five = (rows.loc[:, "nodule":"pneumothorax"] == "1").any(axis=1)
    used = rows[(rows["label"] == "normal") | five]
    train = used[used["split"] == "train"]
    assert report["images"]["train"] == train["label"].value_counts().to_dict()
    test = used[used["split"] == "test"]
    assert report["test"]["nodule"]["positive"] == (test["nodule"] == "1").sum()
    assert report["test"]["nodule"]["negative"] == (test["nodule"] == "0").sum() < len(test)
    assert np.isfinite(report["history"]["loss"]).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[rows["label"] == "normal"], "0 abnormal images"),
        (
            lambda rows: rows[(rows["label"] == "abnormal") | (rows["split"] != "val")],
            "split val has 0 normal images",
        ),
        (lambda rows: rows.iloc[:7], "images"),
    ],
)
def test_one_class_or_too_few(cohort, capsys, change, said):
    out = cohort.parent / "refused"
    assert _train(_edit(cohort, "bad", change), out) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error and "manifest.csv: split" in error
    assert not out.exists() and not list(cohort.parent.glob(".refused*"))


def test_a_finding_that_never_occurs(cohort, capsys):
    folder = _edit(cohort, "rare", lambda rows: rows[rows["pneumothorax"] == "0"])
    assert _train(folder, cohort.parent / "refused", "findings") == 2
    assert "pneumothorax" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--set", "size=32"), "smaller than the 32 px"),
        (("--set", "stem=large"), "choose one of"),
        (("--set", "stem=imagenet", "--set", "blocks=1,1,1,1"), "too small"),
        (("--set", "epochs=0"), "epochs=0: must be a whole number from 1"),
        (("--set", "size=True"), "expected a value like"),
        (("--set", "width=" + "9" * 400), "must be a whole number"),
        (("--set", "learning_rate=" + "9" * 400), "expected a value like"),
        (("--set", "learning_rate=1e999"), "learning_rate=inf: must be a number above 0"),
        (("--set", "patience=None"), "patience=None: must be"),
        (("--set", "blocks=1,'x'"), "one block or more"),
        (("--set", "blocks=(1,)*9"), "expected a value like"),
        (("--seed", "-1"), "--seed"),
        (("--set", "momentum=1.0"), "momentum"),
        (("--set", "blocks=()"), "one block or more"),
        (("--set", "shift=-0.1"), "from 0 to 1"),
        (("--set", "weights_file=absent.h5"), "absent.h5"),
        (("--set", "precision=half"), "one of float32, float16, bfloat16"),
        (("--set", "curriculum=2"), "0 abnormal training images"),
        (("--labels", "device", "--set", "curriculum=2"), "is for diseases"),
        (("--config", "huge"), "huge"),
        (("--labels", "five"), "binary, findings"),
    ],
)
def test_bad_settings(cohort, capsys, more, said):
    assert _train(cohort, cohort.parent / "refused", "binary", *more) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error
    assert not (cohort.parent / "refused").exists()


def test_thesis_config_is_resnet50():
    from pgcxr.classifier.network import architecture

    config = load_config("classifier", "thesis")
    assert architecture(config.blocks, config.width, config.stem) == "ResNet-50"
