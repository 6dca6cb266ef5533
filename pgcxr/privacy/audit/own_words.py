"""Words that identify nobody: those that pgcxr itself writes, and terms that the DICOM standard and
makers define."""

import contextlib
import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources, util
from pathlib import Path

import numpy as np

from pgcxr.errors import InputError
from pgcxr.privacy.audit import encodings, lexicon
from pgcxr.privacy.audit.fingerprints import OVERLAP, PIECE, Hasher, fold, words
from pgcxr.sources.weak_labels import language

# Hashes what pgcxr itself writes: no secret.
OWN = Hasher(0)
# Their texts are data (made-up names, tables), not words that pgcxr writes.
NOT_OWN = ("phantom", "privacy")
# PS3.3 C.12.1.1.2: without and with code extensions.
CHARACTER_SETS = frozenset(
    (
        "GB18030",
        "GBK",
        *(f"ISO_IR {n}" for n in (6, 100, 101, 109, 110, 144, 127, 126, 138, 148, 203, 13, 166)),
        "ISO_IR 192",
        *(f"ISO 2022 IR {n}" for n in (6, 100, 101, 109, 110, 144, 127, 126, 138, 148, 203)),
        *(f"ISO 2022 IR {n}" for n in (13, 166, 87, 159, 149, 58)),
    )
)
# Values of Code String elements of radiographs (PS3.3 C.7, C.8.1, C.8.7, C.8.11; PS3.16 Annex L),
# of the sex and of the encoding, and how makers write their names (Manufacturer, Manufacturer's
# Model Name) and units of scale.
TERMS = """
ORIGINAL PRIMARY DERIVED SECONDARY MONOCHROME1 MONOCHROME2 IDENTITY INVERSE LINEAR LINEAR_EXACT
SIGMOID LOG DISP LIN CHEST THORAX ABDOMEN PELVIS SPINE CSPINE TSPINE LSPINE RIBS STERNUM SHOULDER
CLAVICLE HEART LUNG EXTREMITY SKULL HEAD NECK HAND FOOT KNEE ELBOW ANKLE WRIST HIP FEMUR HUMERUS
WHOLEBODY PORTABLE POSTERO_ANTERIOR ANTERO_POSTERIOR LATERAL LANDSCAPE PORTRAIT HORIZONTAL VERTICAL
UPRIGHT ERECT RECUMBENT SUPINE PRONE STANDING UNPAIRED BILATERAL FOR PRESENTATION FOR PROCESSING
CURRENT EQUIPMENT STORAGE DIGITIZED DIRECT RADIOGRAPH FLUORO SCINTILLATOR PHOTOCONDUCTOR AUTOMATIC
MANUAL NONE STANDARD UNSPECIFIED RECTANGULAR CIRCULAR POLYGONAL PARALLEL FOCUSED RECIPROCATING
OSCILLATING ROTATING TUNGSTEN MOLYBDENUM RHODIUM ALUMINUM COPPER NORMAL HARDER SOFTER WINDOW MALE
FEMALE OTHER UNKNOWN PRESENT ABSENT
GE MEDICAL SYSTEMS, GE Healthcare, General Electric Company, SIEMENS Healthineers, SIEMENS Medical
Solutions, Philips Medical Systems, Philips Healthcare, FUJI PHOTO FILM Co., ltd., FUJIFILM
Corporation, Agfa-Gevaert, AGFA HealthCare, Carestream Health, Eastman Kodak Company, Canon Inc.,
CANON Medical Systems Corporation, KONICA MINOLTA, Samsung Electronics, Shimadzu Corporation,
TOSHIBA Medical, Hologic, Lunar, Swissray, Imaging Dynamics Company, DRTECH, Vieworks, Varex
Imaging, Varian Medical Systems, Listem, GmbH, Incorporated, Limited, International, Technologies,
Technology, Digital Radiography, X-Ray
"""


@functools.cache
def standard_words() -> frozenset[str]:
    """The single words of the terms: a text of nothing else, such as ['DERIVED', 'PRIMARY'],
    identifies nobody."""
    return frozenset(words(TERMS))


def of_standard() -> list[str]:
    """The texts of terms that anything may hold: a private element that says ISO_IR 100, a maker as
    the operator."""
    # On one line: words of two lines are no run.
    return [" ".join(TERMS.split()), *sorted(CHARACTER_SETS)]


def of_files(paths: Iterable[str | os.PathLike | None]) -> list[str]:
    """The texts of files that are the user's own: rules, code lists, lexicons; of those that are
    named.

    Raises:
        InputError: a file cannot be read.
    """
    texts = []
    for path in paths:
        if path is None:
            continue
        if not Path(path).is_file():
            raise InputError(f"{path}: no such file; name a text file whose words are your own")
        texts.append(encodings.decode(Path(path).read_bytes()))
        with contextlib.suppress(InputError):  # a lexicon, or another file
            language.load(path)
            texts += lexicon.combined([Path(path)])
    return texts


def runs_of(texts: Iterable[str]) -> np.ndarray:
    """uint64: the hashes of all runs of words in texts, sorted, each once."""
    pieces = (
        fold(text[at : at + PIECE + OVERLAP]) for text in texts for at in range(0, len(text), PIECE)
    )
    hashes = [run[0] for piece in pieces for run in OWN.runs(piece)]
    return np.unique(np.concatenate([np.zeros(0, np.uint64), *hashes]))


@functools.cache
def runs() -> np.ndarray:
    """`runs_of` what pgcxr writes and of the standard's terms."""
    return runs_of([*_own_texts(), *of_standard()])


def are_own(pairs: Sequence[tuple[str, str]], own: np.ndarray | None = None) -> np.ndarray:
    """bool [N]: whether (kind, joined words) cannot be told from what pgcxr, or the standard, says
    anyway.

    "chest" in a description or "GE MEDICAL SYSTEMS" as the operator identify nobody; numbers, dates
    and UIDs do.

    Args:
        own: sorted hashes of such runs of words, by default `runs()`.
    """
    own = runs() if own is None else own
    hashes = OWN.of_many([value for _, value in pairs])
    same = own[np.minimum(np.searchsorted(own, hashes), len(own) - 1)] == hashes
    return same & np.array(
        [kind not in ("uid", "date") and not value.isdigit() for kind, value in pairs], bool
    )


def _own_texts() -> Iterator[str]:
    """What pgcxr and its scripts write can only come from their own files."""
    yield lexicon.of_pgcxr()
    roots = [Path(str(resources.files("pgcxr")))]
    for package in ("train", "evaluate"):
        spec = util.find_spec(package)
        roots += [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    for root in roots:
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).parts
            if path.name in language.SHIPPED:
                continue
            if path.suffix in (".py", ".toml", ".html", ".json") and not set(NOT_OWN) & set(inside):
                yield path.read_text(encoding="utf-8", errors="replace")
