"""Sliders along the axes of a study."""

import html

import ipywidgets as widgets

from evaluate.axes.explore import Explorer
from evaluate.notebooks.showing import Study
from pgcxr.cohort.findings import FINDINGS
from pgcxr.plots.figure import CLASSES

CAPTIONS = {
    "start": "start",
    "image": "moved",
    "difference": "difference: red brighter, blue darker",
    "gradcam": "Grad-CAM of a guide",
}
PX, COLUMN = "256px", "264px"  # a widget has a margin of its own


class Sliders:
    """A slider for each axis; beside them the image, what has changed, where a guide looks, and
    what the guides say.

    Attributes:
        box: the widget to show.
    """

    def __init__(self, study: Study):
        self.explorer = Explorer(study.step("gan"), study.step("axes"))
        self.folder = study.folder / "notebooks"
        self.seed = widgets.BoundedIntText(0, min=0, max=10**6, layout={"width": "90px"})
        self.amounts = {name: _slider(label) for name, label in self.explorer.labels.items()}
        names = [(name.replace("_", " "), name) for name in FINDINGS]
        self.finding = widgets.Dropdown(options=names, layout={"width": "170px"})
        self.pictures = {
            name: widgets.Image(format="png", layout={"width": PX, "height": PX})
            for name in CAPTIONS
            if name != "gradcam" or self.explorer.panel is not None
        }
        self.said, self.bars = widgets.HTML(), widgets.HTML()
        self.note = widgets.HTML(html.escape(self.explorer.note))
        self._still = False
        self.box = self._laid_out()
        for control in (self.seed, self.finding):
            control.observe(self._update, names="value")
        for name, slider in self.amounts.items():
            slider.observe(lambda _, name=name: self._moved(name), names="value")
        self._update()

    @property
    def percent(self) -> dict[str, float]:
        """What the sliders say."""
        return {name: slider.value for name, slider in self.amounts.items()}

    def reset(self, _=None) -> None:
        """The start again."""
        self._still = True
        for slider in self.amounts.values():
            slider.value = 0
        self._still = False
        self._update()

    def another(self, _=None) -> None:
        """Another start; the sliders stay."""
        self.seed.value += 1

    def save(self, _=None) -> None:
        """Image and latent, as `Explorer.save` writes them."""
        paths = self.explorer.save(self.folder, self.seed.value, self.percent)
        self.said.value = "<br>".join(html.escape(f"saved {path}") for path in paths)

    def strips(self) -> widgets.Widget:
        """A strip along each axis from the same start."""
        rows = []
        for name, label in self.explorer.labels.items():
            strip = self.explorer.strip(self.seed.value, name, range(0, 151, 25))
            rows += [widgets.HTML(f"<b>{html.escape(label)}</b>"), widgets.Image(value=strip)]
        return widgets.VBox(rows)

    def _moved(self, name: str) -> None:
        if self._still:
            return
        if self.finding.value != name and name in FINDINGS:
            self.finding.value = name  # which updates
        else:
            self._update()

    def _update(self, _=None) -> None:
        if self._still:
            return
        view = self.explorer.view(self.seed.value, self.percent, self.finding.value)
        for name, png in view.pictures().items():
            self.pictures[name].value = png
        self.bars.value = bars(view.start_likelihoods, view.likelihoods)
        self.said.value = ""

    def _laid_out(self) -> widgets.Widget:
        buttons = []
        for word, does in (
            ("another start", self.another),
            ("reset", self.reset),
            ("save", self.save),
        ):
            buttons.append(widgets.Button(description=word, layout={"width": "112px"}))
            buttons[-1].on_click(does)
        start = widgets.HBox([widgets.Label("seed of the start"), self.seed])
        seen = widgets.HBox([widgets.Label("Grad-CAM of"), self.finding])
        controls = [start, *self.amounts.values(), widgets.HBox(buttons), self.said]
        if self.explorer.panel is not None:
            controls += [self.bars, seen]
        grid = widgets.GridBox(
            [
                widgets.VBox([widgets.HTML(CAPTIONS[name]), picture])
                for name, picture in self.pictures.items()
            ],
            layout={"grid_template_columns": f"repeat(2, {COLUMN})", "grid_gap": "4px 8px"},
        )
        left = widgets.VBox([*controls, self.note], layout={"width": "360px"})
        return widgets.HBox([left, grid], layout={"grid_gap": "16px"})


def bars(before: dict[str, float], now: dict[str, float]) -> str:
    """Likelihoods as bars, with a mark where each was at the start."""
    rows = []
    for name, value in now.items():
        start, color = 100 * before[name], CLASSES[name]
        rows.append(
            '<div style="display: flex; align-items: center; line-height: 22px">'
            f'<span style="width: 138px">{html.escape(name.replace("_", " "))}</span>'
            '<span style="position: relative; width: 160px; height: 14px; background: #e8ebef">'
            f'<span style="position: absolute; left: 0; top: 0; height: 14px; background: {color}; '
            f'width: {100 * value:.1f}%"></span>'
            '<span style="position: absolute; top: -3px; height: 20px; width: 2px; '
            f'background: #000; left: {start:.1f}%"></span></span>'
            f'<span style="width: 50px; text-align: right">{100 * value:.0f} %</span></div>'
        )
    if not rows:
        return ""
    title = "<div>likelihood by the guides; black: at the start</div>"
    return title + "".join(rows)


def _slider(label: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        value=0,
        min=-50,
        max=150,
        step=5,
        description=label,
        readout_format=".0f",
        style={"description_width": "138px"},
        layout={"width": "350px"},
    )
