"""The report labeler against hand-labeled reports, and how it reads single sentences."""

import textwrap
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pgcxr.cohort.findings import FINDINGS, TABLE_6
from pgcxr.errors import InputError
from pgcxr.phantom import wording
from pgcxr.sources.weak_labels import language, sections
from pgcxr.sources.weak_labels.opinion import NEGATIVE, NOT_MENTIONED, POSITIVE, UNCERTAIN
from pgcxr.sources.weak_labels.reports import NO_PHRASE, TAKEN_BACK, Labeler
from pgcxr.sources.weak_labels.statements import Reader

MARKS = {"+": POSITIVE, "-": NEGATIVE, "?": UNCERTAIN, ".": NOT_MENTIONED}


def _hand_labeled(name):
    """(marks, text) of every text in a file."""
    content = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return [tuple(row) for rows in content.values() for row in rows]


SENTENCES = _hand_labeled("hand_labelled.toml")
NOTATIONS = _hand_labeled("notations.toml")
KOREAN = _hand_labeled("korean_reports.toml")


@pytest.fixture(scope="module")
def labeler():
    return Labeler(language.load())


def read(labeler, marks, text):
    """(what a careful reader says, what the labeler says), each five statuses and a label."""
    *five, label = marks.split()
    opinion = labeler.opinion(text)
    return [MARKS[mark] for mark in five] + [label], [opinion.status(f) for f in FINDINGS] + [
        opinion.label or "silent"
    ]


def counted(labeler, texts):
    counts = Counter()
    for marks, text in texts:
        wanted, said = read(labeler, marks, text)
        counts.update(zip(wanted[:5], said[:5], strict=True))
    return counts


def rates(counts, status):
    """(precision, recall)"""
    right = counts[status, status]
    said = sum(n for (_, answer), n in counts.items() if answer == status)
    return right / said, right / sum(n for (truth, _), n in counts.items() if truth == status)


@pytest.mark.parametrize(
    ("texts", "least"),
    [
        (SENTENCES, {POSITIVE: 1.0, UNCERTAIN: 1.0, NEGATIVE: 0.95}),
        (NOTATIONS, {POSITIVE: 0.97, UNCERTAIN: 0.9, NEGATIVE: 0.97}),
        # Where the lungs are clear, three findings are denied that nobody wrote down.
        (KOREAN, {POSITIVE: 0.95, UNCERTAIN: 0.9, NEGATIVE: 0.9}),
    ],
)
def test_precision_and_recall_on_the_hand_labeled(labeler, texts, least):
    """Whole sentences (every positive and every doubt is found, none is made up), short notations,
    Korean."""
    assert len(texts) >= 60
    counts = counted(labeler, texts)
    for status, share in least.items():
        assert min(rates(counts, status)) >= share, (status, counts)


@pytest.mark.parametrize(("marks", "text"), SENTENCES)
def test_labels_of_the_hand_labeled(labeler, marks, text):
    wanted, said = read(labeler, marks, text)
    assert said[5] == wanted[5]


@pytest.mark.parametrize(("marks", "text"), NOTATIONS + KOREAN)
def test_no_finding_is_lost_in_short_notations(labeler, marks, text):
    """What is sick or doubtful is never called normal."""
    wanted, said = read(labeler, marks, text)
    assert said[5] == wanted[5] or said[5] != "normal", (wanted, said)


@pytest.mark.parametrize(
    ("text", "finding", "words"),
    [
        ("No pneumothorax.", "pneumothorax", "no | pneumothora*"),
        ("Pneumothorax is not seen.", "pneumothorax", "pneumothora* | not seen"),
        ("Small effusion.", "pleural_effusion", "effusion*"),
        ("Cannot exclude pneumonia.", "consolidation", "cannot exclude | pneumonia*"),
        ("No change in the effusion.", "pleural_effusion", "effusion*"),
    ],
)
def test_the_deciding_words_are_the_lexicons(labeler, text, finding, words):
    assert labeler.opinion(text).words[finding] == words


def test_no_word_of_a_report_leaves_that_is_not_in_the_lexicon(labeler):
    name = "Nodulaszewski"  # begins like a nodule
    opinion = labeler.opinion(
        f"Mr {name} has a nodule. {name} pneumothorax seen by Dr {name}, possible effusion of "
        f"{name}."
    )
    assert opinion.status("nodule") == POSITIVE
    assert name.lower() not in " ".join(opinion.words.values()).lower()


def test_reports_of_the_phantom(labeler):
    """All twelve findings of Table 6 in generated reports, whose truth is known."""
    for seed in range(400):
        rng = np.random.default_rng(seed)
        found = dict.fromkeys(
            map(str, rng.choice(TABLE_6, size=rng.integers(0, 3), replace=False)),
            float(rng.random()),
        )
        devices = [str(rng.choice(("pacemaker", "ecg_wires")))] if rng.random() < 0.3 else []
        text = wording.report(found, devices, rng)
        opinion = labeler.opinion(text)
        assert set(opinion.having(POSITIVE)) == set(found), text
        assert opinion.label == ("abnormal" if found else "normal") and not opinion.having(
            UNCERTAIN
        ), text


def test_sections():
    header = language.load().header
    found = list(
        sections.sections(
            "HISTORY: cough\nFindings: a. IMPRESSION: b\nCONCLUSION\nc\nprior study: d", header
        )
    )
    assert [(name, text.strip(" \n.")) for name, text in found] == [
        ("", ""),
        ("history", "cough"),
        ("findings", "a"),
        ("impression", "b"),
        ("conclusion", "c\nprior study: d"),
    ]
    assert sections.until_blank_line("\n\n text\n more\n \nrest") == ("\n\n text\n more", "rest")


def test_statements(labeler):
    reader = Reader(labeler.language)
    text = "A 1.5 cm nodule. No air-space disease!\n1. X\n2. Y; z?"
    assert [words for words in reader.statements(text) if words] == [
        *("a 1 5 cm nodule", "no air space disease", "x", "y", "z \u2298")
    ]


@pytest.mark.parametrize("form", ["lines", "wrapped", "bullets", "no blanks", "lower", "upper"])
def test_one_report_in_many_forms(labeler, form):
    """Lines without full stops, wrapped lines and lists say what the sentences say."""
    sentences = [
        "Heart size is normal",
        "There is no focal consolidation, pleural effusion or suspicious opacity",
        "Calcified granuloma is present at the right apex",
        "No pneumothorax",
        "Large mass in the left upper lobe, not seen on the previous film",
        "No displaced rib fracture is identified on these two views of the chest",
        "Interstitial markings are prominent, possibly early interstitial edema",
    ]
    whole = ". ".join(sentences) + "."
    text = {
        "lines": "\n".join(sentences),
        "wrapped": textwrap.fill(whole, 44),
        "bullets": "\n".join(f"- {sentence}" for sentence in sentences),
        "no blanks": whole.replace(". ", "."),
        "lower": "\n".join(sentences).lower(),
        "upper": textwrap.fill(whole.upper(), 60),
    }[form]
    expected, found = labeler.opinion(whole), labeler.opinion(text)
    assert expected.label == "abnormal" and expected.status("nodule") == POSITIVE
    assert (found.label, dict(found.statuses)) == (expected.label, dict(expected.statuses))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Kein Pneumothorax, kein Erguss.", "German"),
        ("Pas de pneumothorax. Pas de consolidation.", "French"),
        ("Geen pneumothorax.", "Dutch"),
        ("Пневмоторакс не выявлен. pneumothorax", "Cyrillic"),
        ("胸水なし。", "Chinese or Japanese"),
        ("pneumothorax ¾øÀ½", "letters that are read wrongly"),
        ("The film is rotated.", NO_PHRASE),
        ("ET tube in place. No pneumothorax.", ""),
        ("흉수 없음", ""),
        ("Normal chest.\nADDENDUM: dictated on the WRONG\npatient; please disregard.", TAKEN_BACK),
        ("정상. 판독 취소합니다.", TAKEN_BACK),
        ("Normal chest. Filed under the wrong patient's name.", TAKEN_BACK),
        ("Normal chest (films of WRONG PATIENTS)", TAKEN_BACK),
        ("Normal chest. An earlier report in erroneous words.", ""),
    ],
)
def test_a_language_without_phrases_decides_nothing(labeler, text, language):
    opinion = labeler.opinion(text)
    assert opinion.unread == language
    assert (opinion.label == "") == bool(language) and (not opinion.statuses or not language)


GERMAN = """
[sections]
conclusion = ["Beurteilung"]
read = ["Befund"]
skipped = ["Indikation"]
[context]
negations_before = ["kein", "keine", "ohne"]
negations_after = ["nicht nachweisbar"]
uncertainties_before = ["Verdacht auf"]
ends = ["aber"]
verbs = ["ist", "sind"]
lists = ["oder", "und"]
[findings.nodule]
terms = ["Rundherd*"]
[findings.consolidation]
terms = ["Infiltrat*", "Pneumonie*"]
[findings.interstitial_opacity]
terms = ["interstitielle Zeichnungsvermehrung"]
[findings.pleural_effusion]
terms = ["Pleuraerguss*", "Erguss*", "Ergüsse*"]
[findings.pneumothorax]
terms = ["Pneumothorax"]
"""


def test_another_language_by_file(tmp_path):
    path = tmp_path / "german.toml"
    path.write_text(GERMAN, encoding="utf-8")
    labeler = Labeler(language.load(path))
    opinion = labeler.opinion(
        "Indikation: Pneumothorax?\nBefund: Keine Ergüsse, kein Pneumothorax. Verdacht auf "
        "Rundherd rechts.\nBeurteilung: Kein Infiltrat, aber interstitielle Zeichnungsvermehrung."
    )
    assert [opinion.status(finding) for finding in FINDINGS] == [
        UNCERTAIN,
        NEGATIVE,
        POSITIVE,
        NEGATIVE,
        NEGATIVE,
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("[sections]", "[section]"), "unknown key section"),
        (
            lambda text: text.replace("[findings.pneumothorax]", "[findings.cold]"),
            "unknown key cold",
        ),
        (
            lambda text: text.replace('[findings.pneumothorax]\nterms = ["Pneumothorax"]', ""),
            "no table [findings.pneumothorax]",
        ),
        (lambda text: text.replace('"Rundherd*"', '"Ru*"'), "needs 3 letters"),
        (lambda text: text.replace('["Rundherd*"]', '"Rundherd*"'), "terms must be a list"),
        (lambda text: text.replace('["Rundherd*"]', '[""]'), "list of texts, none empty"),
        (lambda text: text + "=", "is not TOML"),
    ],
)
def test_bad_language_files(tmp_path, change, said):
    path = tmp_path / "bad.toml"
    path.write_text(change(GERMAN), encoding="utf-8")
    with pytest.raises(InputError) as error:
        language.load(path)
    assert (
        said in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)
    )


def test_long_and_hostile_reports_are_read_in_time(labeler):
    for text in (
        "no " * 50_000,
        "effusion, " * 20_000,
        "a" * 500_000,
        "FINDINGS:" * 50_000,
        " \n" * 200_000,
        "(" * 100_000,
    ):
        labeler.opinion(text)
