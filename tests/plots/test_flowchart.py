"""The flow chart as a drawing."""

from xml.etree import ElementTree

from pgcxr.plots import flowchart

CHART = {
    "collected": 217924,
    "steps": [
        {"rule": "unreadable", "excluded": 1234, "remaining": 216690},
        {"rule": "blank", "excluded": 0, "remaining": 216690},
        {"rule": "age", "excluded": 3000, "remaining": 213690, "normal": 1000, "abnormal": 2000},
        {
            "rule": "view",
            "excluded": 500,
            "remaining": 213190,
            "normal": 0,
            "abnormal": 500,
            "applies": True,
        },
        {
            "rule": "device",
            "excluded": 0,
            "remaining": 213190,
            "normal": 0,
            "abnormal": 0,
            "applies": False,
        },
    ],
    "normal": 100000,
    "abnormal": 113190,
}


def words(path) -> list[str]:
    return [node.text for node in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def test_numbers_and_labels(tmp_path):
    flowchart.draw(CHART, tmp_path / "chart.svg")
    found = words(tmp_path / "chart.svg")
    for line in (
        "n = 217,924",
        "cannot be read: 1,234",
        "n = 101,000",
        "n = 115,690",
        "n = 100,000",
        "n = 113,190",
    ):
        assert found.count(line) == 1, line
    assert "under age or age unknown: 1,000" in found and "under age or age unknown: 2,000" in found
    assert not any("blank" in line for line in found)
    assert any(line.endswith(": device") for line in found)


def test_where_nothing_was_excluded_there_is_no_box_and_the_age_is_named(tmp_path):
    steps = [step | {"excluded": 0} for step in CHART["steps"][:2]]
    steps += [
        {"rule": "age", "excluded": 5, "remaining": 9, "normal": 0, "abnormal": 5, "minimum": 19}
    ]
    flowchart.draw(CHART | {"steps": steps}, tmp_path / "chart.svg")
    found = words(tmp_path / "chart.svg")
    assert (
        found.count("Excluded") == 1
        and "none" not in found
        and "under 19 or age unknown: 5" in found
    )


def test_words_say_what_the_rules_allow():
    assert flowchart.words({"rule": "view", "allowed": ["PA"]}) == "not posteroanterior"
    assert flowchart.words({"rule": "view", "allowed": ["PA", "AP"]}) == "not PA or AP"
    assert flowchart.words({"rule": "sex", "allowed": ["F"]}) == "not F"
    assert (
        flowchart.words({"rule": "age", "minimum": 19, "maximum": 120}) == "under 19 or age unknown"
    )
    assert (
        flowchart.words({"rule": "age", "minimum": 19, "maximum": 80})
        == "under 19, over 80 or age unknown"
    )


def test_same_bytes(tmp_path):
    flowchart.draw(CHART, tmp_path / "a.svg")
    flowchart.draw(CHART, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_every_rule_has_words():
    from pgcxr.curation.rules import ORDER

    assert set(flowchart.WORDS) == set(ORDER)
