"""What curation says of its labels: agreement, a sample to check, confidence; and nothing of the
reports' text."""

import csv
import json
from collections import Counter

import pytest

from pgcxr.cohort import manifest as cohort
from pgcxr.curation import label_audit
from pgcxr.errors import InputError
from tests.curation.curating import curate

NAME = "SZYMANOWSKA"
ROWS = [
    *[{"codes": "Z00.0", "report": f"{NAME}: the lungs are clear. No effusion."}] * 6,
    *[{"codes": "R91.1", "report": f"A nodule, shown to Dr {NAME}. No pneumothorax."}] * 5,
    *[{"codes": "J90", "report": "The lungs are clear."}] * 2,  # opposed
    {"codes": "Z00.0", "report": f"Pneumothorax. {NAME}"},  # opposed
    {"codes": "R91.1", "report": "Possible nodule."},
    {"codes": "R91.1", "report": ""},
    {"codes": "R91.1", "report": "No nodule. Pleural effusion."},
]


@pytest.fixture
def run(tmp_path, make_export):
    export = make_export(ROWS)

    def go(name="cohort", **options):
        out = tmp_path / name
        return curate(
            export, out, key_file=tmp_path / "key", processes=0, show_progress=False, **options
        ), out

    return go


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_agreement_and_confidence(run):
    report, out = run()
    rows = cohort.load(out).manifest
    assert Counter(rows["label_confidence"]) == {"1.00": 12, "0.25": 3, "0.50": 1, "0.75": 1}
    assert set(rows["label_sources"]) == {"codes;report", "codes"}
    labels = report["labels"]
    assert labels["policy"] == "codes" and labels["compared"] == ["codes", "report"]
    found = labels["agreement"]
    # By hand: 6 both normal, 6 both abnormal, 2 and 1 opposed; one doubt and one silence left out.
    assert (found["label"]["n"], found["label"]["studies"]) == (15, 17)
    assert found["label"]["agreement"] == pytest.approx(12 / 15)
    chance = (8 / 15) * (7 / 15) + (7 / 15) * (8 / 15)
    assert found["label"]["kappa"] == pytest.approx((12 / 15 - chance) / (1 - chance))
    assert found["nodule"]["counts"] == {
        "not mentioned / negative": 8,
        "not mentioned / not mentioned": 1,
        "positive / negative": 1,
        "positive / not mentioned": 1,
        "positive / positive": 5,
        "positive / uncertain": 1,
    }
    written = {
        (row["target"], row["first_says"]): row for row in table(out / "label_agreement.csv")
    }
    assert (
        written["label", "abnormal"]["second_positive"] == "6"
        and written["label", "abnormal"]["second_negative"] == "2"
    )
    assert json.loads((out / "report.json").read_text())["labels"] == labels


def test_the_sample_to_check(run):
    report, out = run()
    rows = table(out / "label_sample.csv")
    assert len(rows) == report["labels"]["sample"] == 17
    manifest = cohort.load(out).manifest.set_index("image_id")
    strata = Counter(row["stratum"] for row in rows)
    assert strata == {
        "both normal: same label and findings": 6,
        "both abnormal: same label and findings": 5,
        "codes abnormal, report normal": 2,
        "codes normal, report abnormal": 1,
        "codes abnormal, report uncertain": 1,
        "codes abnormal, report silent": 1,
        "both abnormal: same label, other findings": 1,
    }
    for row in rows:
        assert int(row["images_in_stratum"]) == int(row["drawn_of_it"]) == strata[row["stratum"]]
        assert row["label"] == row["codes_label"] == manifest["label"][row["image_id"]]
    doubted = next(row for row in rows if row["stratum"] == "codes abnormal, report uncertain")
    assert (doubted["codes_nodule"], doubted["report_nodule"]) == ("positive", "uncertain")
    assert doubted["nodule_words"] == "possible | nodul*" and doubted["checked_label"] == ""
    page = (out / "label_sample.html").read_text()
    assert page.count("<img") == 17 and f'src="images/{rows[0]["image_id"]}.png"' in page
    for path in out.rglob("*"):
        assert not path.is_file() or NAME.lower().encode() not in path.read_bytes().lower(), path


def test_a_small_sample_is_spread_over_the_strata(run):
    report, out = run(label_sample=9)
    taken = Counter(row["stratum"] for row in table(out / "label_sample.csv"))
    assert len(taken) == 7 and sum(taken.values()) == 9 and max(taken.values()) == 2


@pytest.mark.parametrize(
    ("options", "labels", "excluded"),
    [
        ({"labels": "report"}, {"normal": 8, "abnormal": 7}, {"diagnosis": 2}),
        (
            {"labels": "report", "uncertain": "positive"},
            {"normal": 8, "abnormal": 8},
            {"diagnosis": 1},
        ),
        (
            {"labels": "report", "uncertain": "negative"},
            {"normal": 9, "abnormal": 7},
            {"diagnosis": 1},
        ),
        ({"labels": "agree"}, {"normal": 6, "abnormal": 6}, {"diagnosis": 2, "label_conflict": 3}),
    ],
)
def test_policies(run, options, labels, excluded):
    report, out = run(**options)
    assert {name: report[name] for name in ("normal", "abnormal")} == labels and report[
        "excluded"
    ] == excluded
    if options["labels"] == "agree":
        differing = [row for row in table(out / "manifest.csv") if row["pleural_effusion"] == ""]
        assert (
            len(differing) == 1
            and differing[0]["nodule"] == ""
            and differing[0]["pneumothorax"] == "0"
        )


def test_only_what_decides_is_needed(run, tmp_path):
    path = tmp_path / "export" / "studies.csv"
    rows = [{name: row[name] for name in ("accession_number", "report")} for row in table(path)]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    report, out = run(labels="report")
    assert report["normal"] == 8 and set(cohort.load(out).manifest["label_sources"]) == {"report"}
    for policy in ("codes", "agree"):
        with pytest.raises(InputError, match="no column diagnosis_codes"):
            run(policy, labels=policy)


def test_files_of_codes_and_phrases(run, tmp_path):
    codes = tmp_path / "codes.toml"
    codes.write_text('normal = ["Z00", "R91"]\n[findings]\n')
    report, _ = run("own", codes_file=codes)
    assert (report["normal"], report["abnormal"]) == (15, 2) and report["labels"]["own_codes"]
    with pytest.raises(InputError, match="no such file"):
        run("absent", labels_file=tmp_path / "absent.toml")
    assert not (tmp_path / "absent").exists()
    with pytest.raises(InputError, match="Received: label_sample=-1"):
        run("negative", label_sample=-1)


@pytest.mark.parametrize("policy", ["codes", "agree"])
def test_reports_in_another_language_decide_nothing_and_are_said(tmp_path, make_export, policy):
    """A German report with a word that English has too is no pneumothorax."""
    rows = [*ROWS[:8], *[{"codes": "Z00.0", "report": "Kein Pneumothorax, kein Erguss."}] * 3]
    export, out = make_export(rows), tmp_path / "cohort"
    options = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False}
    report = curate(export, out, labels=policy, **options)
    assert report["labels"]["reports"] == {"studies": 11, "not_understood": {"German": 3}}
    (said,) = report["warnings"]
    assert "3 of 11 reports were not understood (German: 3)" in said and "curation.md" in said
    assert json.loads((out / "report.json").read_text())["warnings"] == report["warnings"]
    if policy == "agree":
        details = [row["detail"] for row in table(out / "excluded.csv")]
        assert details == ["report: not understood (German)"] * 3
    else:
        assert report["normal"] == 9  # as their codes say


def test_few_reports_without_a_known_phrase_are_no_wonder():
    for count, warned in ((4, False), (6, True)):
        reports = {"studies": 100, "not_understood": {"no phrase that is known": count}}
        assert bool(label_audit.warnings({"reports": reports})) == warned
    assert not label_audit.warnings({"reports": {"studies": 0, "not_understood": {}}})


def test_what_becomes_of_studies_whose_reports_are_not_understood_is_said_for_each_policy():
    reports = {"studies": 3, "not_understood": {"German": 3}}
    for policy, said in (("codes", "decide alone"), ("report", "excluded"), ("agree", "excluded")):
        (warning,) = label_audit.warnings({"policy": policy, "reports": reports})
        assert ("codes of those studies" in warning) == (policy == "codes") and said in warning
