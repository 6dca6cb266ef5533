"""Size of the MRMC test and coverage of its interval, over simulated reader studies.

    python -m benchmarks.reader_study --studies 1000

Ratings are those of Roe & Metz 1997 (Academic Radiology 4, 298-303 and 587-600): a sum of normal
effects of reader, case, their interactions with the modality and each other, and a shift of
abnormal cases. The expected areas under the ROC curve are known, so that an interval is right or
wrong.
"""

import argparse
import json
import math
import time
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pgcxr.metrics import mrmc


@dataclass(frozen=True)
class Simulation:
    """A kind of study; variances as Roe & Metz name them, those of cases and noise sum up to 1."""

    readers: int = 5
    normal: int = 50
    abnormal: int = 50
    shifts: tuple[float, float] = (1.5, 1.5)
    reader: float = 0.0055
    modality_reader: float = 0.0055
    case: float = 0.3
    modality_case: float = 0.3
    reader_case: float = 0.2
    noise: float = 0.2

    def areas(self) -> list[float]:
        """Expected area under the ROC curve in each modality."""
        spread = 2 * (1 + self.reader + self.modality_reader)
        return [float(stats.norm.cdf(shift / math.sqrt(spread))) for shift in self.shifts]

    def ratings(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Ratings [2, R, normal] and [2, R, abnormal] of one study."""
        return self._of(rng, self.normal, (0.0, 0.0)), self._of(rng, self.abnormal, self.shifts)

    def _of(self, rng: np.random.Generator, cases: int, shifts) -> np.ndarray:
        def effect(variance: float, *shape: int) -> np.ndarray:
            return rng.normal(0, math.sqrt(variance), shape)

        return (
            np.reshape(shifts, (2, 1, 1))
            + effect(self.reader, 1, self.readers, 1)
            + effect(self.modality_reader, 2, self.readers, 1)
            + effect(self.case, 1, 1, cases)
            + effect(self.modality_case, 2, 1, cases)
            + effect(self.reader_case, 1, self.readers, cases)
            + effect(self.noise, 2, self.readers, cases)
        )


def simulate(kind: Simulation, studies: int, seed: int = 0) -> dict:
    """{rejected, covered, covered_single}: shares of the studies whose test is below 0.05, whose
    interval of the difference holds the true one, and whose intervals of one area hold it."""
    rng = np.random.default_rng(seed)
    areas = kind.areas()
    rejected = covered = single = 0
    for _ in range(studies):
        found = mrmc.of_pairs(mrmc.roc_pairs(*kind.ratings(rng)))["tests"][mrmc.BOTH]
        low, high = found["differences"][0]["ci95"]
        rejected += found["p"] < 0.05
        covered += low <= areas[1] - areas[0] <= high
        for area, each in zip(areas, found["modalities"], strict=True):
            single += (each["ci95"][0] <= area <= each["ci95"][1]) / 2
    return {
        "rejected": rejected / studies,
        "covered": covered / studies,
        "covered_single": single / studies,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    arguments = parser.parse_args()
    kinds = {
        "no difference, 5 readers, 50 + 50": Simulation(),
        "no difference, 3 readers, 25 + 25": Simulation(readers=3, normal=25, abnormal=25),
        "no difference, readers differ (HH), 5, 50 + 50": Simulation(
            reader=0.03, modality_reader=0.03
        ),
        "0.80 and 0.88, 6 readers, 60 + 60": Simulation(6, 60, 60, (1.19, 1.67)),
    }
    for name, kind in kinds.items():
        begin = time.perf_counter()
        found = simulate(kind, arguments.studies)
        found |= {"kind": name, "studies": arguments.studies}
        found |= {"seconds": round(time.perf_counter() - begin, 1)}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
