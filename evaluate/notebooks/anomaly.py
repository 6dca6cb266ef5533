"""The search for anomalies in one image after the other, under a slider over its steps."""

import html
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import ipywidgets as widgets

from evaluate.anomaly.explore import Explorer, Steps
from evaluate.notebooks.showing import Study

CAPTIONS = {
    "query": "query; green: the lesion's border",
    "nearest": "nearest normal image so far",
    "difference": "difference: red brighter",
    "map": "anomaly map",
}
PX, COLUMN = "224px", "232px"
MILLISECONDS = 150  # that a step is shown for


class Search:
    """A menu of test images; of the chosen one, what the inversion sees at each step.

    Attributes:
        box: the widget to show.
        steps: of the image that is shown.
    """

    def __init__(self, study: Study):
        self.explorer = self._explorer(study)
        read = self.explorer.calibrated is not None
        self.steps: Steps = None
        last = self.explorer.options.iterations
        self.image = widgets.Dropdown(
            options=self.explorer.choices, value=self.explorer.first, layout={"width": "330px"}
        )
        self.step = widgets.IntSlider(last, max=last, description="step", layout={"width": "330px"})
        self.play = widgets.Play(value=last, max=last, interval=MILLISECONDS)
        widgets.jslink((self.play, "value"), (self.step, "value"))
        self.pictures = {
            name: widgets.Image(format="png", layout={"width": PX, "height": PX})
            for name in CAPTIONS
            if name != "map" or read
        }
        self.said, self.plot = widgets.HTML(), widgets.Image(layout={"width": "420px"})
        self.box = widgets.VBox(
            [
                widgets.HBox([widgets.Label("test image"), self.image, self.play, self.step]),
                widgets.HBox(
                    [
                        widgets.VBox(
                            [widgets.HTML(CAPTIONS[name]), picture], layout={"width": COLUMN}
                        )
                        for name, picture in self.pictures.items()
                    ]
                ),
                widgets.HBox([self.said, self.plot], layout={"grid_gap": "24px"}),
                widgets.HTML(html.escape(self.explorer.note)),
            ]
        )
        self.image.observe(self._chosen, names="value")
        self.step.observe(self._update, names="value")
        self._chosen()

    @property
    def _threshold(self) -> float | None:
        known = self.explorer.calibrated
        return None if known is None else known.threshold

    def _explorer(self, study: Study) -> Explorer:
        if (study.folder / "anomaly").is_dir():
            return Explorer.load(study.step("gan_normal"), study.step("anomaly"))
        self._scratch = TemporaryDirectory()  # for as long as the widget
        found = Explorer.of_phantoms(Path(self._scratch.name))
        missing = f"{study.folder / 'anomaly'} is not there: run `make demo`. Until then: "
        return replace(found, note=missing + found.note)

    def _chosen(self, _=None) -> None:
        self.said.value = "searching for the nearest normal image ..."
        self.steps = self.explorer.steps(self.image.value)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "score.png"
            threshold = self._threshold
            self.plot.value = self.steps.plot(path, threshold).read_bytes()
        self._update()

    def _update(self, _=None) -> None:
        step = self.step.value
        for name, png in self.steps.pictures(step).items():
            self.pictures[name].value = png
        row = self.explorer.scores.loc[self.image.value]
        lines = [
            ("after", f"{step} of {len(self.steps.losses) - 1} steps"),
            (f"loss ({self.explorer.options.loss})", f"{self.steps.losses[step]:.4f}"),
            ("class", str(row["class"]).replace("_", " ")),
        ]
        if self._threshold is not None:
            score = self.steps.scores[step]
            lines += [
                ("anomaly score", f"{score:.2f}"),
                ("threshold", f"{self._threshold:.2f}"),
                ("conformal p-value", f"{self.steps.p_values[step]:.3f}"),
                ("called", "abnormal" if score > self._threshold else "not abnormal"),
                ("in the run", f"score {row['score']:.2f}, p {row['p_value']:.3f}"),
            ]
        cells = "".join(
            f"<tr><td>{html.escape(word)}</td><td><b>{html.escape(value)}</b></td></tr>"
            for word, value in lines
        )
        self.said.value = f'<table style="line-height: 1.7">{cells}</table>'
