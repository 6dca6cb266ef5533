"""What counts as an identifier, and the policy against false alarms.

Every value becomes the joined() words that would betray it in an output:

- a name: its parts together in either order of family and given name, and each part of 4 letters or
  more;
- a number or code (patient, accession, serial, ...): as it is and without leading zeros, from 5
  characters where it holds letters, from 6 where it is all digits; shorter ones cannot be told from
  counts and sizes;
- a date of 1880 to 2100: year first, day first and month first, also with the month in English
  letters; years and months alone are no identifiers, neither are times of day;
- a UID that is not one of the standard's own: its last 8 components;
- free text (comments, addresses, reports, private elements): in pieces of 8 words, a shorter text
  as a whole if it has two words or one of 6 letters, unless all its words are the standard's or
  makers' terms or words of the lexicons of reports (`lexicon`); the words with at least 3 digits
  among 6 characters or more; the word after a title (Dr., Mrs., Frau); long UIDs;
- an address, the name of an institution: as free text, and each word of 5 letters or more;
- the names of files and folders, like numbers and free text.

A value with letters that pgcxr's own texts hold too (its source, rules and page templates: "chest",
"normal", but also "Adam" and "Wang") cannot be told from them; it counts only together with other
words of its value. The audit drops and counts such values.
"""

import datetime
import itertools
import re

from pgcxr.privacy.audit import encodings, lexicon
from pgcxr.privacy.audit.fingerprints import MOST_WORDS, joined, words
from pgcxr.privacy.audit.own_words import standard_words

KINDS = ("name", "number", "date", "uid", "text", "path", "other", "kept", "patient")
NAME_PART, CODE, DIGITS, WORD = 4, 5, 6, 6
PHRASE = 8
MONTHS = words(
    "January February March April May June July August September October November December"
)
# Stand-ins that scanners and earlier de-identification write.
DUMMY_DATES = ("19000101", "19700101")
DUMMY_NAMES = (
    "anonymous",
    "anonymized",
    "anonymised",
    "anonym",
    "deidentified",
    "removed",
    "unknown",
    "unnamed",
)
TRANSLITERATED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"}
)
# A UID within a text, or the beginning of one, which any number of things share.
UID = re.compile(r"(?<![\w.])[0-2]\.[0-3]?\d\.\d+\.[\d.]+")
LONG_UID = 24
TITLED = re.compile(
    r"(?<!\w)(?:dr|prof|mr|mrs|ms|miss|frau|herrn?|hr|mme|mlle|madame|monsieur|se[nñ]ora?|sra?)(?:\.|(?=\s))"
    r"(?:\s*(?:dr|med|prof)\.)*\s*([^\W\d_][\w'’-]{3,})",
    re.IGNORECASE,
)
DATE = re.compile(
    r"(?<!\d)(\d{4})([-./]?)(\d{2})\2(\d{2})(?!\d)|(?<!\d)(\d{1,2})([-./])(\d{1,2})\6(\d{4})(?!\d)"
)
Identifiers = set[tuple[str, str]]


def of_name(text: str) -> Identifiers:
    """DICOM's Family^Given^Middle^Prefix^Suffix in up to three "=" groups (PS3.5 6.2.1), or as
    people write."""
    names: set[str] = set()
    for group in re.split("[=\0\\\\]", text):
        for spelling in {group.lower(), group.lower().translate(TRANSLITERATED)}:
            written = re.split(r"[\^,;\s]+", spelling)
            parts = [part for part in map(joined, written) if part and part not in DUMMY_NAMES]
            if len(parts) > 1:
                together = (parts, parts[1:] + parts[:1], parts[:2], parts[1::-1])
                full = map("".join, together)
                names |= {name for name in full if len(name) >= 6 or not name.isascii()}
            halves = [joined(half) for part in written for half in part.split("-")]
            for part in (*parts, *halves):
                if len(part) >= (NAME_PART if part.isalpha() else DIGITS):
                    names.add(part)
            # A Chinese or Korean name is written without a blank.
            names |= {part for part in parts if not part.isascii() and 3 <= len(part) < NAME_PART}
    return {("name", name) for name in names if name not in DUMMY_NAMES}


def of_number(text: str, kind: str = "number") -> Identifiers:
    """A patient's or a study's number, a serial number, a code."""
    if not any(map(str.isdigit, text)) and all(lexicon.covered(words(text))):
        return set()
    code = joined(text)
    both = {code, code.lstrip("0")}
    return {(kind, code) for code in both if len(code) >= (DIGITS if code.isdigit() else CODE)}


def of_date(text: str) -> Identifiers:
    """Every date that `text` holds (DA, DT, or as people write it)."""
    pairs: Identifiers = set()
    for match in DATE.finditer(text[:26] if text[:8].isdigit() and len(text) > 8 else text):
        _add_date(pairs, match)
    if re.match(r"\d{8}", text):
        _add_date(pairs, DATE.match(text[:8]))
    return pairs


def _add_date(pairs: Identifiers, match: re.Match | None) -> None:
    if match is None:
        return
    year, month, day = (int(match[place]) for place in ((1, 3, 4) if match[1] else (8, 7, 5)))
    # Read day first and, where that is a date too, month first.
    for first, second in {(month, day), (day, month)} if not match[1] else {(month, day)}:
        try:
            date = datetime.date(year, first, second)
        except ValueError:
            continue
        if not 1880 <= year <= 2100 or date.strftime("%Y%m%d") in DUMMY_DATES:
            continue
        name, days = MONTHS[first - 1], {f"{second:02d}", str(second)}
        forms = {date.strftime(form) for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y")}
        for d, m in itertools.product(days, (name, name[:3])):
            forms |= {f"{d}{m}{year}", f"{m}{d}{year}"}
        pairs |= {("date", form) for form in forms}


def of_uid(text: str) -> Identifiers:
    """A UID of an instance, series, study, device, ...; not one that the standard itself gives out
    (PS3.6 A)."""
    uid = text.strip().strip("\0")
    if not re.fullmatch(r"[0-9.]{10,64}", uid) or uid.startswith("1.2.840.10008."):
        return set()
    return {("uid", "".join(uid.split(".")[-MOST_WORDS:]))}


def of_text(text: str, kind: str = "text") -> Identifiers:
    """Free text: its pieces, its dates, the words that hold numbers."""
    pairs: Identifiers = set()
    parts = words(text)
    if any(map(str.isdigit, text)):
        pairs |= of_date(text)
        for uid in UID.findall(text):
            pairs |= of_uid(uid) if len(uid) >= LONG_UID else set()
        numbers = (blank for blank in text.split() if any(map(str.isdigit, blank)))
        blanks = (blank for blank in numbers if not UID.search(blank))
        for part in {*parts, *map(joined, blanks)}:
            if len(part) >= DIGITS and sum(map(str.isdigit, part)) >= 3:
                pairs |= of_number(part, kind)
    for name in TITLED.findall(text):
        pairs |= of_name(name)
    known = lexicon.covered(parts)
    last = max(len(parts) - MOST_WORDS, 0)
    for at in {*range(0, last, MOST_WORDS), last}:
        piece = "".join(parts[at : at + MOST_WORDS])
        long_enough = len(piece) >= (PHRASE if len(parts) > 1 else WORD)
        if not long_enough or sum(map(str.isalpha, piece)) < 4:
            continue
        told = zip(parts[at : at + MOST_WORDS], known[at:], strict=False)
        if not all(is_known or word in standard_words() for word, is_known in told):
            pairs.add((kind, piece))
    return pairs


def of_place(text: str) -> Identifiers:
    """An address or the name of an institution."""
    return of_text(text) | {
        ("text", word)
        for word in words(text)
        if len(word) >= CODE and word.isalpha() and not lexicon.covered([word])[0]
    }


def of_kept(text: str) -> Identifiers:
    """A short value of an element that is no identifier: "other" by itself; every run of its words
    is "kept"."""
    parts = words(text)
    if len(parts) > MOST_WORDS:
        return of_text(text, "other")
    runs = {"".join(parts[a:b]) for a in range(len(parts)) for b in range(a + 1, len(parts) + 1)}
    return of_text(text, "other") | {
        ("kept", run) for run in runs if len(run) >= CODE and not run.isdigit()
    }


def of_path(relative: str) -> Identifiers:
    """The names of a file and of its folders, relative to the export, with and without what follows
    the last dot."""
    pairs: Identifiers = set()
    if encodings.is_odd(relative):
        for reading in encodings.of_name(relative).splitlines():
            pairs |= of_path(reading)
        return pairs
    for part in relative.split("/"):
        for name in {part, part.rsplit(".", 1)[0]}:
            pairs |= of_uid(name) | of_number(name, "path") | of_text(name, "path")
        # A folder may be called after its patient.
        pairs |= {
            ("path", word)
            for word in words(part.rsplit(".", 1)[0])
            if len(word) >= CODE and word.isalpha() and not lexicon.covered([word])[0]
        }
    return pairs


def packed(pairs: Identifiers) -> tuple[list[str], bytes]:
    """(the joined words, one byte each for their kind), in an order of their own."""
    ordered = sorted(pairs, key=lambda pair: (pair[1], pair[0]))
    return [value for _, value in ordered], bytes(KINDS.index(kind) for kind, _ in ordered)


def unpacked(values: list[str], kinds: bytes) -> Identifiers:
    """What `packed` was given."""
    return {(KINDS[kind], value) for value, kind in zip(values, kinds, strict=True)}
