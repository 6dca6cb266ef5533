"""Every option of a de-identified export, with what it may be.

Kept free of heavy imports: the command line shows its help text from here.
"""

from dataclasses import dataclass
from pathlib import Path

from pgcxr.options import PATH, SWITCH, TEXT, Options, each, one_of, option, or_none, whole

REMOVE, SHIFT = "remove", "shift"
MOST_PROCESSES = 256


@dataclass(frozen=True)
class DeidentificationOptions(Options):
    """What is kept, what is made black, and where private files lie.

    `dates` are removed, or shifted by a keyed number of days, one for each patient (Retain
    Longitudinal Temporal Information With Modified Dates Option); never the date of birth. With
    `keep_characteristics` age, sex, size and weight stay (Retain Patient Characteristics Option);
    ages from 90 years on are 90 (HIPAA Safe Harbor).

    Example:

        >>> DeidentificationOptions(dates="shift").keep_characteristics
        False
        >>> DeidentificationOptions(dates="keep")
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: dates: must be one of remove, shift. Received: dates=keep
    """

    dates: str = option(
        REMOVE,
        one_of(REMOVE, SHIFT),
        "remove, or shift by a secret number of days for each patient.",
    )
    keep_characteristics: bool = option(
        False, SWITCH, "Keep age (90 and above as 90), sex, size and weight."
    )
    black_out: tuple[str, ...] = option(
        (), each(TEXT), "x,y,w,h: a region to make black, as fractions; may be repeated."
    )
    black_out_text: bool = option(False, SWITCH, "Make text that is found near the borders black.")
    key_file: Path | None = option(
        None,
        or_none(PATH),
        "Key of the hashes and UIDs, made on first use; by default ~/.config/pgcxr/patient_key.",
        of_the_run=True,
    )
    findings: Path | None = option(
        None,
        or_none(PATH),
        "PRIVATE table of what the audit found; by default privacy_findings.csv beside the key.",
        of_the_run=True,
    )
    processes: int | None = option(
        None,
        or_none(whole(0, MOST_PROCESSES)),
        "Processes; 0: none but this one; by default one for each core.",
        names=("--workers",),
        of_the_run=True,
    )
