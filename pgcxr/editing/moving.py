"""Images along axes, and what is said of them."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pgcxr.cohort.findings import FINDINGS
from pgcxr.editing.axes_folder import AxesFolder
from pgcxr.editing.panel import Panel
from pgcxr.editing.severity import Severity
from pgcxr.latent import walks

# A finding at or above it is there.
THERE = 0.5
# A side effect that is worth a word: mean likelihood of another finding at the end, and its rise.
OFF_TARGET, RISES = 0.2, 0.1


@dataclass(frozen=True)
class Move:
    """What is moved along, together.

    Attributes:
        names: of the diseases.
        vectors: [K, L], their axes.
        most: [K], the severity of each where the strip's is 1.
        severity: of each.
        found: whether each axis counts as found.
    """

    names: tuple[str, ...]
    vectors: np.ndarray
    most: np.ndarray
    severity: tuple[Severity, ...]
    found: tuple[bool, ...]

    @classmethod
    def of(cls, found: AxesFolder, wanted: dict[str, float]) -> "Move":
        """From a folder of axes.

        Args:
            found: the folder.
            wanted: {disease: its severity where that of the strip is 1}.
        """
        severities = []
        for name in wanted:
            angles, logits = found.walked(name)
            own = logits[..., FINDINGS.index(name)]
            end = float(found.axes.ends[found.axes.names.index(name)])
            severities.append(Severity.calibrated(name, angles, own, end))
        return cls(
            tuple(wanted),
            np.stack([found.vector(name) for name in wanted]),
            np.array(list(wanted.values())),
            tuple(severities),
            tuple(not found.why_not(name) for name in wanted),
        )

    def titles(self) -> list[str]:
        """Of each disease, for figures."""
        return [
            name.replace("_", " ")
            + (f" x {most:g}" if most != 1 else "")
            + ("" if found else " (axis not found)")
            for name, most, found in zip(self.names, self.most, self.found, strict=True)
        ]

    def angles(self, severity: float) -> np.ndarray:
        """[K] in radians."""
        return np.array(
            [
                float(own.angle(severity * most))
                for own, most in zip(self.severity, self.most, strict=True)
            ]
        )

    def latents(self, starts: np.ndarray, severity: float) -> np.ndarray:
        """float32 [N, L]: the starts [N, L] moved; at severity 0 as they are."""
        if severity == 0:
            return np.asarray(starts, np.float32)
        return walks.move(starts, self.vectors, self.angles(severity)).astype(np.float32)

    def describe(self, found: AxesFolder, panel: Panel, severities: list[float]) -> dict:
        """{disease: what is known of its axis and severity}, for the report."""
        rows = {}
        for name, own, most in zip(self.names, self.severity, self.most, strict=True):
            gap = panel.gap(FINDINGS.index(name))
            wanted = np.array(severities) * most
            rows[name] = {
                "found": not found.why_not(name),
                "why_not": found.why_not(name),
                "way": found.report["axes"][name]["way"],
                "severity_at_1": most,
                "angles": own.angle(wanted),
                "calibration": {
                    "starts": own.starts,
                    "guides_logits": own.logit(wanted),
                    "rise": own.rise,
                    "rise_in_real_gaps": own.rise / gap if gap > 0 else None,
                    "stops_short": own.stops_short,
                    "highest_angle": own.angles[-1],
                },
            }
        return rows


@dataclass(frozen=True)
class Said:
    """What is said of N starts at S severities, the first of which is 0.

    Attributes:
        panel: by whom.
        logits: [S, N, J, 5], calibrated.
    """

    panel: Panel
    logits: np.ndarray

    def guides(self) -> np.ndarray:
        """Mean logits [S, N, 5] by the guides."""
        return self._flat(self.panel.guided)

    def judges(self) -> np.ndarray:
        """Likelihoods [S, N, J, 5] by the judges."""
        return special.expit(self._flat(self.panel.judged))

    def _flat(self, read) -> np.ndarray:
        steps, starts = self.logits.shape[:2]
        told = read(self.logits.reshape(steps * starts, *self.logits.shape[2:]))
        return told.reshape(steps, starts, *told.shape[1:])

    def effects(self, move: Move, severities: list[float]) -> dict:
        """{disease: what becomes of it in the edited images}.

        An image gets there where the guides' logit at the end is nearer to what the calibration
        says for that severity than to where the calibration starts.
        """
        logits, judged, rows = self.guides(), self.judges(), {}
        for name, own, most in zip(move.names, move.severity, move.most, strict=True):
            k = FINDINGS.index(name)
            first, last = own.logit(0), own.logit(severities[-1] * most)
            likelihoods = special.expit(logits[..., k])
            seeing = {
                judge.name: place for place, judge in enumerate(self.panel.judges) if judge.sees[k]
            }
            rows[name] = {
                "there_at_start": np.flatnonzero(likelihoods[0] >= THERE),
                "reached": logits[-1, :, k] >= (first + last) / 2,
                "guides_likelihoods": likelihoods.mean(axis=1),
                "guides_logits": logits[..., k].mean(axis=1),
                "judges": {
                    judge: {
                        "likelihoods": judged[:, :, place, k].mean(axis=1),
                        "there_at_start": int((judged[0, :, place, k] >= THERE).sum()),
                        "there_at_end": int((judged[-1, :, place, k] >= THERE).sum()),
                    }
                    for judge, place in seeing.items()
                },
            }
        return rows

    def side_effects(self, move: Move) -> dict:
        """{other disease: {speaker: [mean likelihood before, after]}}, where it rises."""
        targets = [FINDINGS.index(name) for name in move.names]
        told = {"guides": (special.expit(self.guides()), np.ones(5, bool))}
        for place, judge in enumerate(self.panel.judges):
            # Who takes one disease for the other can't say that the other came, too.
            able = judge.sees & judge.apart[targets].all(axis=0)
            told[judge.name] = (self.judges()[:, :, place], able)
        rows: dict = {}
        for k, name in enumerate(FINDINGS):
            if k in targets:
                continue
            for speaker, (likelihoods, able) in told.items():
                start, end = likelihoods[[0, -1], :, k].mean(axis=1)
                if able[k] and end > OFF_TARGET and end - start > RISES:
                    rows.setdefault(name, {})[speaker] = [float(start), float(end)]
        return rows
