"""The size of planned reader studies: published tables, other packages, simulated studies."""

import math

import numpy as np
import pytest

from pgcxr.metrics import equivalence, mrmc, planning
from tests.metrics.van_dyke import NORMAL, RATINGS

# RJafroc, SsPowerTable(dataset02, FOM = "Wilcoxon"): readers and cases for a power of 0.8.
RJAFROC = {3: None, 4: 1089, 5: 344, 6: 251, 7: 211, 8: 188, 9: 173, 10: 163, 20: 126, 50: 109}


@pytest.fixture(scope="module")
def pilot():
    pairs = mrmc.roc_pairs(RATINGS[..., :NORMAL], RATINGS[..., NORMAL:])
    return mrmc.of_pairs(pairs)


def test_the_table_of_rjafroc(pilot):
    parts = mrmc.Components(**pilot["components"])
    (difference,) = pilot["tests"][mrmc.BOTH]["differences"]

    def needed(readers, wanted=0.8):
        def power(cases):
            return mrmc.power(parts, difference["difference"], readers, cases)

        return planning.cases_needed(power, wanted)

    assert {readers: needed(readers) for readers in RJAFROC} == RJAFROC
    assert needed(10, 0.9) == 236
    assert mrmc.power(parts, difference["difference"], 6, 111) == pytest.approx(0.5526116, abs=1e-6)


@pytest.mark.parametrize(
    ("cv", "n", "power"), [(0.30, 40, 0.815845), (0.25, 28, 0.807439), (0.20, 20, 0.834680)]
)
def test_the_power_of_tost_as_in_powertost(cv, n, power):
    """sampleN.TOST(CV = ...) of the R package PowerTOST: 2x2 crossover, true ratio 0.95, limits
    0.80 to 1.25; exact, by Owen's Q."""
    se = math.sqrt(math.log(1 + cv**2) * 2 / n)
    found = planning.tost_power(se, n - 2, math.log(1.25), math.log(0.95))
    assert found == pytest.approx(power, abs=2e-6)


def _scores(rng, parts, share, readers, cases):
    """1 for a right answer; a case's and a reader's effects add up with the share."""
    reader = rng.normal(0, math.sqrt(parts.reader), (readers, 1))
    case = rng.normal(0, math.sqrt(parts.case), (1, cases))
    return (rng.random((readers, cases)) < share + reader + case).astype(float)


def test_simulated_readers_are_shown_to_be_at_chance_as_often_as_planned():
    parts = planning.Shares.stated(0.5, 0.05, 0.05)
    rng = np.random.default_rng(0)
    passed, differs, studies = 0, 0, 400
    for _ in range(studies):
        found = mrmc.of_scores(_scores(rng, parts, 0.52, 6, 80)[None])
        mean = found["tests"][mrmc.BOTH]["modalities"][0]
        test = equivalence.of_mean(mean["mean"], mean["se"], mean["df"], 0.1)
        passed += test["equivalent"]
        differs += not mean["ci95"][0] <= 0.5 <= mean["ci95"][1]
    planned = planning.equivalence_power(parts, 0.1, 6, 80, shift=0.02)
    assert 0.5 < planned < 0.8 and passed / studies == pytest.approx(planned, abs=0.08)
    planned = planning.difference_power(parts, 0.02, 6, 80)
    assert differs / studies == pytest.approx(planned, abs=0.05)


def test_one_reader_is_planned_by_the_exact_tests_of_the_analysis():
    rng = np.random.default_rng(1)
    right = rng.binomial(150, 0.5, 400)
    passed = np.mean([equivalence.binomial(int(k), 150, 0.1)["equivalent"] for k in right])
    parts = planning.Shares.stated(0.5, 0.05, 0.1)
    assert planning.equivalence_power(parts, 0.1, 1, 150) == pytest.approx(passed, abs=0.07)
    # Of 10 answers, 0, 1, 9 and 10 differ from half at the level of 0.05.
    assert planning.difference_power(parts, 0.0, 1, 10) == pytest.approx(22 / 1024)


def test_what_shares_vary_with_is_found_again():
    parts = planning.Shares(0.01, 0.03, 0.2)
    rng = np.random.default_rng(2)
    found = planning.Shares.of_scores(mrmc.of_scores(_scores(rng, parts, 0.5, 60, 2000)[None]))
    assert found.reader == pytest.approx(0.01, rel=0.3)
    assert found.case == pytest.approx(0.03, rel=0.15)
    assert found.reader + found.case + found.answer == pytest.approx(0.25, rel=0.03)


def test_no_number_of_cases_makes_up_for_two_readers():
    parts = planning.Shares.stated(0.5, 0.05, 0.1)
    assert (
        planning.cases_needed(lambda n: planning.equivalence_power(parts, 0.1, 2, n), 0.8) is None
    )
    assert planning.cases_needed(lambda n: n / 100, 0.5, most=60) == 50
    assert planning.cases_needed(lambda n: n / 100, 0.5, most=49) is None
    assert planning.cases_needed(lambda n: 1.0, 0.5) == 2
