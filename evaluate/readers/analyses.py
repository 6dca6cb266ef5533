"""What is computed of the answers of each kind of study.

Each function takes the study, all readings, those that count (first readings, no training), the
readers who are analyzed together, and options; it gives its part of report.json.
"""

from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.readers import tables
from evaluate.readers.kinds import ANOMALY, PREFERENCE, SEVERITY, TURING
from evaluate.readers.options import AnalysisOptions
from evaluate.readers.study import Study
from pgcxr.metrics import equivalence, mrmc, planning, raters
from pgcxr.metrics.agreement import mean_ci
from pgcxr.metrics.auroc import delong_ci
from pgcxr.metrics.proportions import clopper_pearson

GRADES = (0, 1, 2, 3)
PLANNED = ((3, 5, 10), (50, 100, 200, 400))  # readers, cases


def _cube(first: pd.DataFrame, joint: list[str], phases: list[str], column: str):
    """(values [phases, readers, cases], cases), of what all of `joint` read in all phases."""
    wide = first[first["reader"].isin(joint)].pivot_table(
        index="case", columns=["phase", "reader"], values=column, aggfunc="first"
    )
    wide = wide.reindex(columns=pd.MultiIndex.from_product([phases, joint])).dropna()
    return wide.to_numpy(float).T.reshape(len(phases), len(joint), len(wide)), list(wide.index)


def _pairs_of(first: pd.DataFrame, joint: list[str], phases: list[str]) -> np.ndarray | None:
    """`mrmc.roc_pairs` of the ratings; None where there are fewer than two cases of each kind."""
    values, cases = _cube(first, joint, phases, "rating")
    positive = first.groupby("case")["positive"].first().loc[cases].to_numpy(bool)
    if min(positive.sum(), (~positive).sum()) < 2:
        return None
    return mrmc.roc_pairs(values[..., ~positive], values[..., positive])


def _binary(own: pd.DataFrame, called: pd.Series) -> dict:
    """Accuracy, sensitivity and specificity of one reader, each with its exact interval."""
    positive = own["positive"].astype(bool)
    right = called == positive
    found = {}
    for name, chosen in (
        ("accuracy", right),
        ("sensitivity", right[positive]),
        ("specificity", right[~positive]),
    ):
        k, n = int(chosen.sum()), len(chosen)
        found[name] = {"k": k, "n": n, "value": k / n if n else None, "ci95": clopper_pearson(k, n)}
    if min(positive.sum(), (~positive).sum()) >= 2:
        area, low, high = delong_ci(positive.astype(int), own["rating"].astype(float))
        found["auroc"] = {"value": area, "ci95": [low, high]}
    return found


def _mean(found: dict) -> dict:
    """Of one modality: the mean over readers, as far as it generalizes."""
    general = mrmc.BOTH if mrmc.BOTH in found["tests"] else mrmc.CASES
    return {"generalizes_to": general, **found["tests"][general]["modalities"][0]}


def _mean_share(scores: np.ndarray) -> dict:
    """`_mean` of scores [1, R, C], and what they vary with, from which a next study is planned."""
    found = mrmc.of_scores(scores)
    return _mean(found) | {"components": asdict(planning.Shares.of_scores(found))}


def _agreement(
    first: pd.DataFrame, joint: list[str], column: str, categories, weights: str = "identity"
) -> dict:
    """Between the readers of `joint`, on what each of them read."""
    first = first[first["reader"].isin(joint)]
    ratings = first.pivot_table(index="case", columns="reader", values=column, aggfunc="first")
    if ratings.shape[1] < 2:
        return {}
    found = {
        "fleiss_kappa": raters.fleiss_kappa(ratings, categories, weights),
        "gwet": raters.gwet_ac1(ratings, categories, weights),
        "weights": weights,
    }
    if len(categories) > 2:
        found["icc"] = raters.icc(ratings)
    return found


def _again(rows: pd.DataFrame, column: str, categories, weights: str = "identity") -> dict:
    """{reader: {n, agreement, kappa}}: of cases that were read twice."""
    rows = rows[~rows["training"].astype(bool)]
    found = {}
    for reader, own in rows.groupby("reader"):
        again = own["repeat"].astype(bool)
        keys = ["case", "phase"]
        both = own[~again].merge(own[again], on=keys, suffixes=("_first", "_again"))
        if len(both):
            one, other = both[f"{column}_first"], both[f"{column}_again"]
            found[str(reader)] = {
                "n": len(both),
                "agreement": float((one == other).mean()),
                "kappa": raters.weighted_kappa(one, other, categories, weights),
            }
    return found


def _coded(rows: pd.DataFrame, column: str, positive: str) -> pd.DataFrame:
    return rows.assign(code=(rows[column] == positive).astype(float))


def _turing(study, rows, first, joint, options: AnalysisOptions, seed: int) -> dict:
    right = (first["label"] == first["truth_label"]).astype(float)
    first = _coded(first, "label", "synthetic").assign(right=right)
    each = {}
    for reader, own in first.groupby("reader"):
        each[str(reader)] = _binary(own, own["label"] == "synthetic")
        count = each[str(reader)]["accuracy"]
        each[str(reader)]["chance"] = equivalence.binomial(count["k"], count["n"], options.margin)
    scores, _ = _cube(first, joint, ["read"], "right")
    body: dict = {"each": each, "joint_cases": scores.shape[-1]}
    if scores.shape[-1] >= 2:
        accuracy = _mean_share(scores)
        accuracy["chance"] = equivalence.of_mean(
            accuracy["mean"], accuracy["se"], accuracy["df"], options.margin
        )
        body["accuracy"] = accuracy
    pairs = _pairs_of(first, joint, ["read"])
    if pairs is not None:
        body["auroc"] = _mean(mrmc.of_pairs(pairs))
    body["agreement"] = _agreement(first, joint, "code", (0, 1))
    body["intra_reader"] = _again(_coded(rows, "label", "synthetic"), "code", (0, 1))
    return body


def _severity(study, rows, first, joint, options: AnalysisOptions, seed: int) -> dict:
    axes = {}
    for axis, own in first.groupby("truth_axis"):
        chosen = own[own["reader"].isin(joint)]
        ends = [own["truth_step"].min(), own["truth_step"].max()]
        grades = [own.loc[own["truth_step"] == end, "grade"] for end in ends]
        axes[str(axis)] = {
            "each": {str(reader): _spearman(one) for reader, one in own.groupby("reader")},
            "spearman": _clustered_spearman(chosen, options.resamples, seed),
            "median_grade_start": float(grades[0].median()),
            "median_grade_end": float(grades[1].median()),
            "mean_grade": {
                str(int(step)): mean_ci(one["grade"], one["case"])
                for step, one in own.groupby("truth_step")
            },
        }
    return {
        "axes": axes,
        "agreement": _agreement(first, joint, "grade", GRADES, "quadratic"),
        "intra_reader": _again(rows, "grade", GRADES, "quadratic"),
    }


def _spearman(own: pd.DataFrame) -> float | None:
    value = _rank_correlation(own[["truth_angle", "grade"]].to_numpy(float))
    return None if np.isnan(value) else value


def _clustered_spearman(own: pd.DataFrame, resamples: int, seed: int) -> dict:
    """Mean over readers of their rank correlations, and its interval: whole readers are drawn, and
    for each the walks (all images of one start); with one reader, walks alone."""
    rng = np.random.default_rng([seed, 21])
    by_reader = [
        [walk[["truth_angle", "grade"]].to_numpy(float) for _, walk in one.groupby("truth_start")]
        for _, one in own.groupby("reader")
    ]

    def mean(readers) -> float:
        values = [_rank_correlation(np.concatenate(walks)) for walks in readers]
        known = [value for value in values if not np.isnan(value)]
        return float(np.mean(known)) if known else np.nan

    value = mean(by_reader)
    drawn = []
    for _ in range(resamples):
        readers = [by_reader[i] for i in rng.integers(0, len(by_reader), len(by_reader))]
        drawn.append(
            mean([[one[i] for i in rng.integers(0, len(one), len(one))] for one in readers])
        )
    known = np.array(drawn)[~np.isnan(drawn)]
    few = max(map(len, by_reader)) < 2 or not len(known)
    ends = [None, None] if few else np.quantile(known, (0.025, 0.975)).tolist()
    return {"value": value, "ci95": ends, "readers": len(by_reader)}


def _rank_correlation(pairs: np.ndarray) -> float:
    if len(np.unique(pairs[:, 0])) < 2 or len(np.unique(pairs[:, 1])) < 2:
        return np.nan
    return float(stats.spearmanr(pairs[:, 0], pairs[:, 1]).statistic)


def _anomaly(study, rows, first, joint, options: AnalysisOptions, seed: int) -> dict:
    phases = list(study.kind.phase_names())
    first = _coded(first, "detected", "yes")
    each: dict = {}
    for reader, of_reader in first.groupby("reader"):
        parts = {phase: of_reader[of_reader["phase"] == phase] for phase in phases}
        each[str(reader)] = {
            phase: _binary(own, own["detected"] == "yes")
            for phase, own in parts.items()
            if len(own)
        }
    body: dict = {"each": each, "classes": _classes(first, phases)}
    pairs = _pairs_of(first, joint, phases)
    if pairs is not None:
        body["auroc"] = mrmc.of_pairs(pairs)
        body["joint_cases"] = int(sum(pairs.shape[-2:]))
        body["power"] = _power(body["auroc"]["components"], options.difference)
    found = _afroc(study, first, joint, phases, options.near)
    if found is not None:
        body["afroc"] = found
    body["agreement"] = {
        phase: _agreement(first[first["phase"] == phase], joint, "code", (0, 1)) for phase in phases
    }
    body["intra_reader"] = _again(_coded(rows, "detected", "yes"), "code", (0, 1))
    return body


def _classes(first: pd.DataFrame, phases: list[str]) -> dict:
    """{class: {n, phase: {detected, readings, ci95}}}: as thesis Table 6, of all readings; the
    interval draws whole cases."""
    found: dict = {}
    for (name, phase), own in first.groupby(["truth_class", "phase"]):
        entry = found.setdefault(str(name), {"n": int(own["case"].nunique())})
        spread = mean_ci(own["code"], own["case"])
        entry[str(phase)] = {
            "detected": int(own["code"].sum()),
            "readings": len(own),
            "share": spread["mean"],
            "ci95": spread["ci95"],
        }
    return found


def _afroc(
    study: Study, first: pd.DataFrame, joint: list[str], phases: list[str], near: float
) -> dict | None:
    """The AFROC comparison of the cases whose lesions are known; None where there are too few."""
    chosen = first[first["lesions"].notna()]
    _, cases = _cube(chosen, joint, phases, "rating")
    lesions = chosen.groupby("case")["lesions"].first().loc[cases].astype(int)
    abnormal = [case for case in cases if lesions[case] > 0]
    normal = [case for case in cases if lesions[case] == 0]
    if min(len(abnormal), len(normal)) < 2:
        return None
    marks = tables.marks(study, chosen[chosen["reader"].isin(joint)], near)
    false = np.full((len(phases), len(joint), len(normal)), -np.inf)
    hit = np.full((len(phases), len(joint), len(abnormal), int(lesions.max())), -np.inf)
    for place, case in enumerate(abnormal):
        hit[:, :, place, lesions[case] :] = np.nan
    at = [{name: place for place, name in enumerate(names)} for names in (phases, joint)]
    normals, abnormals = ({case: n for n, case in enumerate(of)} for of in (normal, abnormal))
    for mark in marks.itertuples():
        m, r = at[0][mark.phase], at[1][mark.reader]
        if mark.lesion and mark.case in abnormals:
            hit[m, r, abnormals[mark.case], mark.lesion - 1] = mark.confidence
        elif not mark.lesion and mark.case in normals:
            false[m, r, normals[mark.case]] = max(false[m, r, normals[mark.case]], mark.confidence)
    found = mrmc.of_pairs(mrmc.afroc_pairs(false, hit))
    return found | {"normal": len(normal), "abnormal": len(abnormal)}


def _power(components: dict, difference: float) -> dict:
    """{difference, table: [{readers, cases, power}]} of a next study."""
    pilot = mrmc.Components(**components)
    if pilot.readers < 2 or not np.isfinite(pilot.modality_reader):
        return {"difference": difference, "table": []}
    table = [
        {"readers": r, "cases": c, "power": mrmc.power(pilot, difference, r, c)}
        for r in PLANNED[0]
        for c in PLANNED[1]
    ]
    return {"difference": difference, "table": table}


def _preference(study, rows, first, joint, options: AnalysisOptions, seed: int) -> dict:
    def coded(of: pd.DataFrame) -> pd.DataFrame:
        chosen = np.where(of["choice"] == "left", of["truth_left"], of["truth_right"])
        score = np.where(of["choice"] == "equal", 0.5, (chosen == "first").astype(float))
        return of.assign(score=score)

    first = coded(first)
    each = {}
    for reader, own in first.groupby("reader"):
        decided = own[own["score"] != 0.5]
        k, n = int(decided["score"].sum()), len(decided)
        each[str(reader)] = {
            "first": k,
            "second": n - k,
            "equal": len(own) - n,
            "share_first": k / n if n else None,
            "ci95": clopper_pearson(k, n),
            "p": float(stats.binomtest(k, n).pvalue) if n else 1.0,
            "left": int((own["choice"] == "left").sum()),
        }
    scores, _ = _cube(first, joint, ["read"], "score")
    body: dict = {"each": each, "joint_cases": scores.shape[-1]}
    if scores.shape[-1] >= 2:
        mean = _mean_share(scores)
        mean["chance"] = equivalence.of_mean(mean["mean"], mean["se"], mean["df"], options.margin)
        body["preference"] = mean
    body["agreement"] = _agreement(first, joint, "score", (0, 0.5, 1), "linear")
    body["intra_reader"] = _again(coded(rows), "score", (0, 0.5, 1), "linear")
    return body


ANALYSES = {
    TURING: _turing,
    SEVERITY: _severity,
    ANOMALY: _anomaly,
    PREFERENCE: _preference,
}
