"""The answers as tables: CSV, and the input files of iMRMC and RJafroc.

answers.csv   the last answer to each question, one row a reading, with the truth
all.csv       every commit, changed ones too
audit.csv     who did what, and when
study.imrmc   iMRMC's input (turing and anomaly): readerID, caseID, modalityID, score
rjafroc.xlsx  RJafroc's (anomaly): sheets TRUTH, TP and FP
"""

import json
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pandas as pd

from evaluate.readers import tables
from evaluate.readers.kinds import ANOMALY, TURING
from evaluate.readers.session import prepared
from pgcxr.io import artifacts, places


def export(folder: str | Path, out: str | Path) -> list[str]:
    """Writes the new folder `out`; returns the names of its files."""
    study, store = prepared(folder)
    places.refuse_existing(Path(out))
    rows = tables.answers(study, store)
    every = [
        {
            "reader": reader,
            **{name: getattr(one, name) for name in ("position", "phase", "revision")},
            "case": one.case_name,
            "answer": json.dumps(one.answer, sort_keys=True),
            "display": json.dumps(one.display, sort_keys=True),
            "seconds": one.seconds,
            "at": one.at,
            "id": one.id,
        }
        for reader in store.readers()
        for one in store.answers(reader)
    ]
    audit = [
        {"number": number, "at": at, "reader": reader, "what": what, "detail": json.dumps(detail)}
        for number, at, reader, what, detail in store.events()
    ]
    with artifacts.new_folder(out) as beside:
        names = {"answers.csv": rows.drop(columns="marks_list")}
        names |= {"all.csv": pd.DataFrame(every), "audit.csv": pd.DataFrame(audit)}
        for name, table in names.items():
            artifacts.write_text(beside / name, table.to_csv(index=False, lineterminator="\n"))
        counted = rows[~rows["training"] & ~rows["repeat"]]
        if study.kind.name in (TURING, ANOMALY) and len(counted):
            artifacts.write_text(beside / "study.imrmc", imrmc(counted, study.title))
        if study.kind.name == ANOMALY and len(counted):
            _write_xlsx(beside / "rjafroc.xlsx", rjafroc(tables.marks(study, counted), counted))
        report = {"kind": study.kind.name, "readings": len(rows), "files": sorted(names)}
        made_by = {"command": "evaluate.readers", "versions": artifacts.versions()}
        artifacts.write_json(beside / "report.json", {**report, "made_by": made_by})
        return sorted(path.name for path in beside.iterdir())


def imrmc(rows: pd.DataFrame, title: str) -> str:
    """The text of iMRMC's input: the truth of each case, and the score of each reading.

    Higher scores are more sure of "synthetic", or of "abnormal".
    """
    truth = rows.groupby("case")["positive"].first().astype(int)
    lines = [
        " ".join(title.split()),
        f"N0: {int((truth == 0).sum())}",
        f"N1: {int((truth == 1).sum())}",
        f"NR: {rows['reader'].nunique()}",
        f"NM: {rows['phase'].nunique()}",
        "",
        "BEGIN DATA:",
        *(f"-1,{case},truth,{value}" for case, value in truth.items()),
        *(f"{row.reader},{row.case},{row.phase},{row.rating:g}" for row in rows.itertuples()),
    ]
    return "\n".join(lines) + "\n"


def rjafroc(marks: pd.DataFrame, rows: pd.DataFrame) -> dict[str, list[list]]:
    """{sheet: rows} of RJafroc's Excel format for FROC data.

    Args:
        marks: of `tables.marks`.
        rows: all readings.

    Cases and lesions are whole numbers there; a case without a lesion has lesion 0. Cases whose
    lesions are not known are left out. Readers and modalities are numbered, as RJafroc sorts names
    in its own way.
    """
    known = rows[rows["lesions"].notna()]
    readers = sorted(known["reader"].unique())
    phases = [name for name in ("without", "with") if name in set(known["phase"])]
    cases = known.groupby("case")["lesions"].first().astype(int)
    number = {case: int(str(case).lstrip("c")) for case in cases.index}
    every = {"ReaderID": ",".join(map(str, range(len(readers))))}
    every |= {"ModalityID": ",".join(map(str, range(len(phases))))}
    truth = [["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"]]
    for case, lesions in cases.sort_values(kind="stable").items():
        for lesion in range(1, lesions + 1) if lesions else (0,):
            weight = 1 / lesions if lesions else 0
            truth.append([number[case], lesion, weight, every["ReaderID"], every["ModalityID"]])
    truth[1].append("FROC")
    truth[2].append("FCTRL")
    hits = [["ReaderID", "ModalityID", "CaseID", "LesionID", "TP_Rating"]]
    misses = [["ReaderID", "ModalityID", "CaseID", "FP_Rating"]]
    for mark in marks.itertuples():
        if mark.case not in number:
            continue
        start = [readers.index(mark.reader), phases.index(mark.phase), number[mark.case]]
        if mark.lesion:
            hits.append([*start, mark.lesion, mark.confidence])
        else:
            misses.append([*start, mark.confidence])
    return {"TRUTH": truth, "TP": hits, "FP": misses}


def _write_xlsx(path: Path, sheets: dict[str, list[list]]) -> None:
    """A workbook of texts and numbers, in the least that a spreadsheet program reads (ECMA-376)."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    numbers = range(1, len(sheets) + 1)
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
            for n in numbers
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{relations}/worksheet" '
            f'Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        + "</Relationships>",
    }
    for n, rows in zip(numbers, sheets.values(), strict=True):
        body = "".join(f"<row>{''.join(map(_xlsx_cell, row))}</row>" for row in rows)
        files[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            # Without a time of day: the same answers give the same bytes.
            archive.writestr(zipfile.ZipInfo(name), head + text)


def _xlsx_cell(value: object) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"
