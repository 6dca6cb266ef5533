"""Codes, the policies that make labels of opinions, and how far two witnesses agree."""

from collections import Counter

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.sources.weak_labels import agreement, codes, decision, labeling
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, UNCERTAIN, Opinion

NORMAL = Opinion("codes", "normal")
NODULE = Opinion("codes", "abnormal", {"nodule": POSITIVE})
SAYS_NORMAL = Opinion("report", "normal", {"nodule": NEGATIVE})
SAYS_EFFUSION = Opinion("report", "abnormal", {"pleural_effusion": POSITIVE, "nodule": UNCERTAIN})
IN_DOUBT = Opinion("report", "uncertain", {"nodule": UNCERTAIN})
SILENT = Opinion("report", "")


def test_codes():
    lists = codes.load()
    assert lists.findings_of(["J90.0", "r911", "S27.0XXA"]) == (
        "nodule",
        "pleural_effusion",
        "pneumothorax",
    )
    assert lists.opinion(["Z00.0", "Z95.1"], ["Z95"]).label == "normal"
    assert (
        lists.opinion(["Z00.0", "I10"]).label == "abnormal"
        and not lists.opinion(["Z00.0", "I10"]).statuses
    )
    assert lists.opinion(["Z95.1"], ["Z95"]).label == ""


def test_another_list_of_codes(tmp_path):
    path = tmp_path / "codes.toml"
    path.write_text('normal = ["Z00"]\n[findings]\nnodule = ["D86"]\n')
    lists = codes.load(path)
    assert lists.findings_of(["D86.0", "R91"]) == ("nodule",) and not lists.is_normal("Z01")
    for text, said in (
        ('normal = "Z00"\n', "normal must be a list"),
        ('normal = ["Z00"]\n[findings]\ncold = ["J00"]\n', "cold: unknown"),
        ('normal = ["ZZZ"]\n', "no ICD-10 code"),
        ("[findings]\n", "normal must be a list"),
        ("normal = [\n", "is not TOML"),
    ):
        path.write_text(text)
        with pytest.raises(InputError) as error:
            codes.load(path)
        assert (
            said in str(error.value)
            and str(path) in str(error.value)
            and "\n" not in str(error.value)
        )


@pytest.mark.parametrize(
    ("first", "second", "confidence", "witnesses"),
    [
        (NODULE, SAYS_EFFUSION, 1.0, ("codes", "report")),
        (NODULE, SILENT, 0.75, ("codes",)),
        (NODULE, None, 0.75, ("codes",)),
        (NODULE, IN_DOUBT, 0.5, ("codes",)),
        (NODULE, SAYS_NORMAL, 0.25, ("codes",)),
        (NORMAL, SAYS_NORMAL, 1.0, ("codes", "report")),
    ],
)
def test_confidence(first, second, confidence, witnesses):
    made = decision.decide(first, second)
    assert (made.label, made.confidence, made.witnesses) == (first.label, confidence, witnesses)
    assert made.rejected is None


@pytest.mark.parametrize(
    ("uncertain", "label", "findings", "unknown"),
    [
        ("unknown", "abnormal", ("pleural_effusion",), ("nodule",)),
        ("positive", "abnormal", ("nodule", "pleural_effusion"), ()),
        ("negative", "abnormal", ("pleural_effusion",), ()),
        ("exclude", "", (), ()),
    ],
)
def test_uncertain_findings(uncertain, label, findings, unknown):
    made = decision.decide(SAYS_EFFUSION, None, uncertain)
    assert (made.label, made.findings, made.unknown) == (label, findings, unknown)
    assert (made.rejected is not None) == (uncertain == "exclude")


@pytest.mark.parametrize(
    ("uncertain", "label", "findings"),
    [
        ("unknown", "", ()),
        ("positive", "abnormal", ("nodule",)),
        ("negative", "normal", ()),
        ("exclude", "", ()),
    ],
)
def test_nothing_but_uncertain_findings(uncertain, label, findings):
    made = decision.decide(IN_DOUBT, None, uncertain)
    assert (made.label, made.findings, bool(made.rejected)) == (label, findings, not label)


def test_agree():
    made = decision.agree(NODULE, SAYS_EFFUSION)
    assert (made.label, made.findings, made.unknown) == (
        "abnormal",
        (),
        ("nodule", "pleural_effusion"),
    )
    assert decision.agree(NORMAL, SAYS_NORMAL).confidence == 1.0
    conflict = decision.agree(NODULE, SAYS_NORMAL)
    assert (
        conflict.rejected == ("label_conflict", "codes and report disagree")
        and conflict.label == "abnormal"
    )
    assert decision.agree(NODULE, SILENT).rejected[0] == "diagnosis"
    assert decision.agree(NODULE, IN_DOUBT).rejected[0] == "diagnosis"
    assert decision.agree(NODULE, IN_DOUBT, "positive").findings == ("nodule",)


def test_policies():
    codes_of, report = ["R91.1"], "No nodule. Small left pleural effusion."

    def made(policy, given=codes_of, text=report):
        return labeling.load(policy).of_study(given, text)[0]

    assert (made("codes").findings, made("report").findings) == (("nodule",), ("pleural_effusion",))
    assert made("agree").unknown == ("nodule", "pleural_effusion")
    assert made("report", [], report).label == "abnormal"
    assert made("codes", [], report).rejected == ("diagnosis", "no valid diagnosis code")
    assert made("report", codes_of, " ").rejected == ("diagnosis", "no report")
    for policy, uncertain in (("both", "unknown"), ("codes", "maybe")):
        with pytest.raises(InputError, match="must be one of"):
            labeling.load(policy, uncertain)


@pytest.mark.parametrize(
    "table", [[[20, 5], [10, 15]], [[90, 1], [2, 7]], [[3, 0], [0, 4]], [[0, 5], [5, 0]]]
)
def test_kappa_against_statsmodels_and_scikit_learn(table):
    from sklearn.metrics import cohen_kappa_score
    from statsmodels.stats.inter_rater import cohens_kappa

    found = agreement.cohen(table)
    theirs = cohens_kappa(np.array(table))
    assert found["kappa"] == pytest.approx(theirs.kappa)
    low, high = found["kappa_ci95"]
    assert low == pytest.approx(max(theirs.kappa_low, -1)) and high == pytest.approx(
        min(theirs.kappa_upp, 1)
    )
    one = [i for i in range(2) for j in range(2) for _ in range(table[i][j])]
    other = [j for i in range(2) for j in range(2) for _ in range(table[i][j])]
    assert found["kappa"] == pytest.approx(cohen_kappa_score(one, other))


def test_kappa_is_undefined_without_variety():
    assert agreement.cohen([[5, 0], [0, 0]]) == {
        "n": 5,
        "agreement": 1.0,
        "kappa": None,
        "kappa_ci95": [None, None],
    }
    assert agreement.cohen([[0, 0], [0, 0]])["kappa"] is None


def test_agreement_counts():
    pairs = [
        (NODULE, SAYS_EFFUSION),
        (NODULE, SAYS_NORMAL),
        (NORMAL, SAYS_NORMAL),
        (NORMAL, IN_DOUBT),
        (NODULE, SILENT),
    ]
    counts = agreement.compare(pairs)
    assert counts["label"] == Counter(
        {("abnormal", "abnormal"): 1, ("abnormal", "normal"): 1, ("normal", "normal"): 1}
        | {("normal", "uncertain"): 1, ("abnormal", ""): 1}
    )
    found = agreement.summary(counts)
    assert (found["label"]["n"], found["label"]["studies"], found["label"]["agreement"]) == (
        3,
        5,
        pytest.approx(2 / 3),
    )
    # nodule: codes positive against denied once and not mentioned once; otherwise both without, or
    # in doubt
    assert found["nodule"]["n"] == 3 and found["nodule"]["agreement"] == pytest.approx(1 / 3)
    rows = agreement.rows(counts, ("codes", "report"))
    nodule = {row["first_says"]: row for row in rows if row["target"] == "nodule"}
    assert (
        nodule["positive"]["second_negative"] == 1 and nodule["positive"]["second_uncertain"] == 1
    )
    assert nodule["not mentioned"]["second_negative"] == 1 and set(nodule) == {
        "positive",
        "not mentioned",
    }
