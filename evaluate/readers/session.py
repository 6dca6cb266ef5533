"""What one reader sees of a study and may do: the right answers stay here."""

from pathlib import Path

from evaluate.readers import study as studies
from evaluate.readers.store import Answer, Conflict, Store, digest
from evaluate.readers.study import Case, Study
from pgcxr.errors import InputError
from pgcxr.io import artifacts


class Refused(Exception):
    """A request that gets an HTTP status and one line."""

    def __init__(self, status: int, line: str):
        super().__init__(line)
        self.status, self.line = status, line


class Session:
    """What one reader sees of a study: her order, what she committed, where she goes on."""

    def __init__(self, study: Study, store: Store, reader: str):
        self.study, self.store, self.reader = study, store, reader
        self.order = study.order(reader)

    def first_open(self, committed: dict) -> int:
        """The first position that lacks a required answer; the number of positions at the end."""
        phases = self.study.kind.phase_names()
        for position in range(len(self.order)):
            if any((position, phase) not in committed for phase in phases):
                return position
        return len(self.order)

    def state(self) -> dict:
        """The whole study as the page needs it."""
        committed = self.store.committed(self.reader)
        kind = self.study.kind
        return {
            "reader": self.reader,
            "study": digest(f"study {self.store.secret()}")[:16],
            "title": self.study.title,
            "kind": kind.name,
            "text": kind.text,
            "count": len(self.order),
            "training": sum(case.training for case in self.order),
            "first_open": self.first_open(committed),
            "done": [
                sum((position, phase) in committed for phase in kind.phase_names())
                == len(kind.phases)
                for position in range(len(self.order))
            ],
            "marks": list(kind.marks) if kind.marks else None,
            "questions": [
                {
                    "name": one.name,
                    "text": one.text,
                    "choices": [list(each) for each in one.choices],
                }
                for one in kind.questions
            ],
        }

    def case(self, position: int) -> dict:
        """One position: which phase is open, what is shown, what was answered."""
        case = self._case(position)
        answers = self.store.answers(self.reader, position)
        last = {answer.phase: answer for answer in answers}
        phase, locked = self._phase(case, last)
        revision = sum(answer.phase == phase for answer in answers)
        shown = {
            "position": position,
            "phase": phase,
            "phases": list(self.study.kind.phase_names()),
            "training": case.training,
            "prompt": case.prompt,
            "panes": list(self.study.kind.panes(phase)),
            "revision": revision,
            "locked": locked,
            "answer": last[phase].answer if phase in last else None,
            "display": last[phase].display if phase in last else None,
            "earlier": {name: one.answer for name, one in last.items() if name != phase},
        }
        if case.training and locked:
            shown["feedback"] = feedback(case)
        return shown

    def image(self, position: int, pane: str) -> Path:
        """The PNG of a pane; one of a later phase only when that has come."""
        case = self._case(position)
        last = {answer.phase: answer for answer in self.store.answers(self.reader, position)}
        phase, _ = self._phase(case, last)
        if pane not in self.study.kind.panes(phase):
            raise Refused(404, "no such image")
        return self.study.image(case, pane)

    def commit(self, given: dict) -> None:
        """Keeps an answer: once, and only of the phase that is open."""
        position, phase = given.get("position"), given.get("phase")
        if type(position) is not int or type(given.get("id")) is not str:
            raise Refused(400, "an answer needs a position and an id")
        case = self._case(position)
        answers = self.store.answers(self.reader, position)
        answer = Answer(
            given["id"],
            position,
            phase if type(phase) is str else "",
            given["revision"] if type(given.get("revision")) is int else -1,
            case.name,
            self.study.kind.check(given.get("answer")),
            _display(given.get("display")),
            _seconds(given.get("seconds")),
        )
        # The same again, after a lost reply: whatever has come meanwhile.
        if not any(one.id == answer.id for one in answers):
            open_phase, locked = self._phase(case, {one.phase: one for one in answers})
            if phase != open_phase or locked:
                raise Conflict
        self.store.commit(self.reader, answer)

    def _case(self, position: int) -> Case:
        if not 0 <= position < len(self.order):
            raise Refused(404, "no such case")
        training = sum(case.training for case in self.order)
        if position >= training > self.first_open(self.store.committed(self.reader)):
            raise Refused(403, "the training comes first")
        return self.order[position]

    def _phase(self, case: Case, last: dict) -> tuple[str, bool]:
        """(the phase that is open or was last, whether its answer is final). What was answered
        before more was shown is final, and so is a training case with its feedback."""
        names = self.study.kind.phase_names()
        phase = next((name for name in names if name not in last), names[-1])
        return phase, case.training and phase in last


def feedback(case: Case) -> str:
    """What a reader is told after a training case."""
    truth = case.truth
    if "label" in truth:
        return f"Right answer: {truth['label']}."
    if "class" in truth:
        return f"Right answer: {truth['class'].replace('_', ' ').replace(';', ', ')}."
    if "angle" in truth:
        return f"Made at step {truth['step']} of the axis of {truth['axis'].replace('_', ' ')}."
    return f"Left is of the {truth['left']} generator, right of the {truth['right']}."


def _display(given: object) -> dict:
    """{pane: {name: number or switch}} as the page says how it was shown."""
    if not isinstance(given, dict) or len(given) > 8:
        raise Refused(400, "display must say how each pane was shown")
    kept: dict = {}
    for pane, values in given.items():
        if not isinstance(values, dict) or len(values) > 8:
            raise Refused(400, "display must say how each pane was shown")
        if not all(type(value) in (int, float, bool) for value in values.values()):
            raise Refused(400, "display holds numbers alone")
        kept[str(pane)[:32]] = {str(name)[:32]: value for name, value in values.items()}
    return kept


def _seconds(given: object) -> float:
    if type(given) not in (int, float) or not 0 <= given < 10**7:
        raise Refused(400, "seconds must be a number of them")
    return round(float(given), 3)


def prepared(folder: str | Path) -> tuple[Study, Store]:
    """A study that may be served.

    Raises:
        InputError: it is none, its answers are damaged, or what was asked was edited after answers
            were given.
    """
    study = studies.load(folder)
    store = Store(study.folder / studies.ANSWERS)
    store.check()
    store.create()
    plan = {
        "seed": study.seed,
        "repeats": study.repeats,
        "cases": artifacts.sha256(study.folder / studies.CASES),
    }
    kept = store.freeze(plan)
    if kept != plan:
        changed = ", ".join(sorted(key for key in plan if kept.get(key) != plan[key]))
        raise InputError(
            f"{study.folder}: {changed} changed after answers were given, which belong to the "
            "earlier ones; put them back, or make a new study"
        )
    return study, store


def state_of(folder: str | Path) -> tuple[str, str]:
    """(kind of a study, a hash of what its analysis depends on), for who analyzes it later.

    Raises:
        InputError: as `prepared`, or nobody has answered anything that counts yet.
    """
    study, store = prepared(folder)
    training = sum(case.training for case in study.cases)
    if not any(at >= training for reader in store.readers() for at, _ in store.committed(reader)):
        raise InputError(
            f"{study.folder}: no answers yet that count; `python -m evaluate.readers serve` it to "
            "readers first"
        )
    files = [artifacts.sha256(study.folder / name) for name in (studies.STUDY, studies.CASES)]
    return study.kind.name, digest("".join([*files, store.state()]))
