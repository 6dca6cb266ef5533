"""Words that people are called by and that outputs hold for other reasons: markup, the user's own
files, terms."""

import pytest

from pgcxr.errors import InputError
from pgcxr.privacy.audit import auditing, identifiers
from pgcxr.privacy.audit.matcher import Matcher
from tests.privacy.audit.test_false_alarms import found

# Names that people have, which matplotlib, browsers and TensorFlow write for other reasons.
NAMESAKES = (
    "Butt^Vera",
    "Grande^Geneva",
    "Modern^Garde",
    "Rect^Lucida",
    "Avant^Purl",
    "Brain^Helvetica",
    "Gan^Col",
)


@pytest.fixture(scope="module")
def namesakes():
    pairs = set().union(*map(identifiers.of_name, NAMESAKES)) | identifiers.of_path(
        "graphics/computer/line2d"
    )
    return Matcher(pairs)


def test_the_own_words_of_plots_and_pages_are_nobodys(tmp_path, namesakes):
    import matplotlib
    from matplotlib.figure import Figure

    from pgcxr.plots import curves, flowchart
    from pgcxr.plots.page import Page

    out = tmp_path / "out"
    out.mkdir()
    flowchart.draw({"collected": 2, "steps": [], "normal": 1, "abnormal": 1}, out / "flowchart.svg")
    curves.line_plot([0, 1], {"a": [0, 1]}, out / "line.svg", ("x", "y"))
    with matplotlib.rc_context(
        {"svg.fonttype": "none"}
    ):  # every font that matplotlib lists, and its metadata
        figure = Figure()
        figure.add_subplot().set_title("title")
        figure.savefig(out / "old.svg")
    page = Page("The cohort")
    page.figure(out / "old.svg", "Figure 1.")
    page.table(["GAN", "P"], [["all", "GAN"]], "Table 1.")
    page.write(out / "page.html")
    assert (
        b"Grande" in (out / "old.svg").read_bytes() and b"col" in (out / "page.html").read_bytes()
    )
    assert auditing.check([out], namesakes, {}, tmp_path / "f.csv")["outputs"] == 4
    for text in (
        "<svg><!-- Vera --></svg>",
        "<svg><text>Butt</text></svg>",
        "<html><p title='Garde'></html>",
        "Butt",
        "<svg><g id='Rect'/></svg>",
        "<svg style='font: Zwetschgen; who: Vera'/>",
        "butt,1\n",
    ):
        assert found(tmp_path, text, namesakes, "a.svg"), text


def test_our_svg_names_one_font_and_no_vocabulary(tmp_path):
    from pgcxr.plots import curves, flowchart

    flowchart.draw({"collected": 2, "steps": [], "normal": 1, "abnormal": 1}, tmp_path / "a.svg")
    curves.line_plot([0, 1], {"a": [0, 1]}, tmp_path / "b.svg", ("x", "y"))
    for name in ("a.svg", "b.svg"):
        text = (tmp_path / name).read_text()
        assert not [
            word for word in ("Vera", "Grande", "Arial", "metadata", "purl.org") if word in text
        ]
    assert "<text" in (tmp_path / "a.svg").read_text()


def test_event_files_have_no_patient_called_brain(tmp_path, namesakes):
    import tensorflow as tf

    with tf.summary.create_file_writer(str(tmp_path / "out")).as_default():
        tf.summary.scalar("loss", 1.0, 1)
    assert auditing.check([tmp_path / "out"], namesakes, {}, tmp_path / "f.csv")["found"] == 0
    with tf.summary.create_file_writer(str(tmp_path / "out")).as_default():
        tf.summary.scalar("brain", 1.0, 1)
    with pytest.raises(InputError):
        auditing.check([tmp_path / "out"], namesakes, {}, tmp_path / "f.csv")


def look_for_in(export, own=()):
    return auditing.matcher(export, auditing.in_processes(0, False), own)


def test_words_of_the_users_own_files_are_left_out(tmp_path, capsys):
    from pgcxr.cli.app import app
    from pgcxr.cli.command import run
    from pgcxr.privacy.audit import own_words

    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "list.csv").write_text("name,id\nErguss Kieselstein,PID0001111\n")
    (tmp_path / "lexicon.toml").write_text('phrases = ["Erguss"]\n', encoding="latin-1")
    own = own_words.of_files([None, tmp_path / "lexicon.toml"])
    look_for, counts = look_for_in(tmp_path / "export", own)
    assert not found(tmp_path, "erguss", look_for) and counts["indistinct"] >= 1
    assert found(tmp_path, "erguss kieselstein", look_for) and found(
        tmp_path, "Kieselstein", look_for
    )
    with pytest.raises(InputError, match="no such file"):
        own_words.of_files([tmp_path / "none.toml"])
    found(tmp_path, "erguss", look_for)
    arguments = [
        "privacy-audit",
        tmp_path / "export",
        tmp_path / "out",
        "--workers",
        "0",
        "--findings",
        tmp_path / "f.csv",
    ]
    for more, code in (([], 2), (["--own-words", tmp_path / "lexicon.toml"], 0)):
        with pytest.raises(SystemExit) as ended:
            run(app, list(map(str, arguments + more)))
        assert ended.value.code == code, capsys.readouterr()


def test_curate_knows_the_words_of_its_lexicon(make_export, tmp_path):
    from importlib import resources

    from tests.curation.curating import curate

    export = make_export([{"OperatorsName": "Zwitscher^Uli"}, {"codes": "J90"}])
    lexicon = (resources.files("pgcxr.sources.weak_labels") / "english.toml").read_text()
    (tmp_path / "mine.toml").write_text(lexicon + "# zwitscher\n")
    (tmp_path / "same.toml").write_text(lexicon)
    options = {"key_file": tmp_path / "key", "processes": 0, "show_progress": False, "size": 32}
    report = curate(export, tmp_path / "a", labels_file=tmp_path / "same.toml", **options)
    own = curate(export, tmp_path / "b", labels_file=tmp_path / "mine.toml", **options)
    assert own["privacy_audit"]["indistinct"] == report["privacy_audit"]["indistinct"] + 1


def test_terms_of_the_standard_and_of_makers_are_nobodys(tmp_path, make_export):
    export = make_export(
        [{"OperatorsName": "GE MEDICAL SYSTEMS"}, {"OtherPatientIDs": "ISO_IR 100"}]
    )
    look_for, _ = look_for_in(export)
    assert not found(tmp_path, "GE MEDICAL SYSTEMS, ISO_IR 100, ISO 2022 IR 87", look_for)
    export = make_export(
        [{"SpecificCharacterSet": "ZWETSCHGEN OTTO", "PatientSex": "KIESELSTEIN"}], "second"
    )
    look_for, _ = look_for_in(export)
    assert found(tmp_path, "Zwetschgen Otto", look_for) and found(tmp_path, "Kieselstein", look_for)


def test_what_two_patients_share_may_stay_in_dicom(tmp_path, make_export):
    tags = {"Manufacturer": "Quarzwerk", "PatientComments": "quarzwerk"}
    one = make_export([{**tags}, {"PatientComments": "x"}], "one")
    two = make_export([{**tags}, {**tags}], "two")
    kinds = []
    for export in (one, two):
        look_for, _ = look_for_in(export)
        kinds.append({kind for kind, *_ in look_for.hits("Quarzwerk")})
    # "other" is looked for in everything but DICOM.
    assert kinds == [{"other", "text"}, {"other"}]
