"""The thesis's Tables 3 to 6 and its comparisons, replayed through our statistics
(docs/differences.md)."""

import numpy as np
import pytest

from evaluate import thesis
from pgcxr.metrics.auroc import hanley_mcneil, hanley_mcneil_1982
from pgcxr.metrics.confusion import Points, clopper_pearson, evaluation, mcnemar, rates

# Tables 3, 4 and 5; what Results 1 prints as sensitivity and specificity; the totals printed beside
# the tables: predicted normal, predicted abnormal, truly normal, truly abnormal.
TABLES = {
    "real_on_real": (
        dict(tn=1312, fp=109, fn=92, tp=1540),
        (0.934, 0.933),
        (1404, 1549, 1321, 1632),
    ),
    "synthetic_on_synthetic": (
        dict(tn=1264, fp=157, fn=128, tp=1504),
        (0.908, 0.905),
        (1392, 1661, 1421, 1632),
    ),
    "synthetic_on_real": (
        dict(tn=1095, fp=326, fn=191, tp=1441),
        (0.851, 0.816),
        (1286, 1767, 1421, 1632),
    ),
}
# What they are: sensitivity, specificity.
TRUE_RATES = {
    "real_on_real": (0.944, 0.923),
    "synthetic_on_synthetic": (0.922, 0.890),
    "synthetic_on_real": (0.883, 0.771),
}
AUROC = {"real_on_real": 0.9830, "synthetic_on_synthetic": 0.9673, "synthetic_on_real": 0.8810}
# Table 6, in its order: nodule to pneumoperitoneum.
SUBJECTS = (8, 9, 6, 9, 9, 6, 8, 9, 10, 10, 6, 10)
DETECTED = (8, 9, 6, 9, 8, 5, 7, 8, 8, 6, 5, 10)


@pytest.mark.parametrize("name", TABLES)
def test_the_thesis_prints_npv_and_ppv(name):
    table, (printed_sensitivity, printed_specificity), _ = TABLES[name]
    found = rates(**table)
    # 0.933 and 0.905 are cut, not rounded.
    assert found["npv"] == pytest.approx(printed_sensitivity, abs=6e-4)
    assert found["ppv"] == pytest.approx(printed_specificity, abs=1e-3)
    assert found["sensitivity"] != pytest.approx(printed_sensitivity, abs=5e-3)
    assert found["specificity"] != pytest.approx(printed_specificity, abs=5e-3)
    assert (found["sensitivity"], found["specificity"]) == pytest.approx(TRUE_RATES[name], abs=5e-4)


@pytest.mark.parametrize("name", TABLES)
def test_the_totals(name):
    table, _, printed = TABLES[name]
    tn, fp, fn, tp = (table[key] for key in ("tn", "fp", "fn", "tp"))
    # Table 3 prints 1,549 for 1,649 and 1,321 for 1,421.
    mended = {1549: 1649, 1321: 1421}
    assert (tn + fn, tp + fp, tn + fp, tp + fn) == tuple(
        mended.get(total, total) for total in printed
    )
    assert tn + fp + fn + tp == 3053


@pytest.mark.parametrize("name", TABLES)
def test_a_table_written_out_as_readings_is_evaluated_to_itself(name):
    """Scores of 0.1 and 0.9 for the calls: all that a confusion matrix tells of the images."""
    table = TABLES[name][0]
    labels = np.repeat([0, 0, 1, 1], [table[key] for key in ("tn", "fp", "fn", "tp")])
    scores = np.repeat([0.1, 0.9, 0.1, 0.9], [table[key] for key in ("tn", "fp", "fn", "tp")])
    found = evaluation(labels, scores, Points(prevalence=1632 / 3053), resamples=10)
    assert found["confusion"] == found["youden"]["confusion"] == table
    # One operating point: the area under two straight lines.
    assert found["auroc"] == pytest.approx(sum(TRUE_RATES[name]) / 2, abs=5e-4)
    # At the test set's own prevalence Bayes says what the table says.
    assert found["at_prevalence"]["ppv"] == pytest.approx(found["ppv"], abs=1e-12)
    assert found["at_prevalence"]["npv"] == pytest.approx(found["npv"], abs=1e-12)
    wrong = (table["fp"] + table["fn"]) / 3053
    assert found["calibration"]["brier"]["score"] == pytest.approx(
        0.81 * wrong + 0.01 * (1 - wrong)
    )
    # Each table has more than 5 % false alarms: at a specificity of 95 % nothing may be called.
    assert (
        found["at_specificity"]["specificity"] == 1.0
        and found["at_specificity"]["sensitivity"] == 0.0
    )


def test_its_numbers_in_the_report_are_these():
    for name, (table, _, _) in TABLES.items():
        assert {key: thesis.ARMS[name][key] for key in table} == table and thesis.ARMS[name][
            "auroc"
        ] == AUROC[name]
        assert (thesis.sensitivity(name), thesis.specificity(name)) == pytest.approx(
            TRUE_RATES[name], abs=5e-4
        )
    assert tuple(thesis.TABLE_6.values()) == tuple(zip(SUBJECTS, DETECTED, strict=True))


@pytest.mark.parametrize(
    ("a", "b", "z"),
    [
        # "No statistical difference (p < 0.0001)" is a significant difference.
        ("real_on_real", "synthetic_on_real", thesis.HANLEY_MCNEIL_1982_Z),
        ("real_on_real", "synthetic_on_synthetic", 3.99),
        ("synthetic_on_synthetic", "synthetic_on_real", 12.42),
    ],
)
def test_the_z_scores(a, b, z):
    found = hanley_mcneil_1982(AUROC[a], AUROC[b], n_positive=1632, n_negative=1421)
    assert found["z"] == pytest.approx(z, abs=0.05)
    assert 0 < found["p"] < 1e-4
    # By the formula of 1982, written out.
    squares = []
    for area in (AUROC[a], AUROC[b]):
        q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
        spread = area * (1 - area) + 1631 * (q1 - area**2) + 1420 * (q2 - area**2)
        squares.append(spread / (1632 * 1421))
    assert found["z"] == pytest.approx((AUROC[a] - AUROC[b]) / np.sqrt(sum(squares)), rel=1e-12)


def test_pairing_could_only_have_made_the_difference_clearer():
    """Of 1983: z grows with the correlation r of the areas, which the thesis does not tell; 0 is
    the test of 1982."""
    errors = [
        hanley_mcneil(AUROC[name], 1632, 1421)["standard_error"]
        for name in ("real_on_real", "synthetic_on_real")
    ]
    z = [
        0.102 / np.sqrt(errors[0] ** 2 + errors[1] ** 2 - 2 * r * errors[0] * errors[1])
        for r in (0, 0.3, 0.6)
    ]
    assert z[0] == pytest.approx(15.5, abs=0.05) and z[0] < z[1] < z[2]


def test_the_lower_limit_of_its_difference_rules_non_inferiority_out():
    errors = [
        hanley_mcneil(AUROC[name], 1632, 1421)["standard_error"]
        for name in ("real_on_real", "synthetic_on_real")
    ]
    # Even the nearer end of the unpaired 95 % interval of 0.102 lies beyond a margin of 0.05.
    assert 0.102 - 1.96 * np.hypot(*errors) > 0.05


def test_table_6_sums_to_89():
    assert (sum(SUBJECTS), sum(DETECTED)) == (100, 89)
    assert clopper_pearson(89, 100) == pytest.approx([0.8117, 0.9438], abs=1e-4)


def test_its_comparison_with_the_supervised_network_holds_however_they_were_paired():
    """89 of 100 against 37 of 40 + 14 of 60: the discordant pairs aren't told, but "p < 0.001"
    holds for all."""
    ours, theirs = sum(DETECTED), 37 + 14
    assert theirs == 51
    for both in range(ours + theirs - 100, theirs + 1):
        assert mcnemar(ours - both, theirs - both)["p"] < 0.001
