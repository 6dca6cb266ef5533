"""JupyterLab on a folder, driven in a headless Chromium (`tests.evaluate.chromium`)."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.evaluate.chromium import Chromium, Tab, wait

TOKEN = "for-this-test-alone"
# The notebook that is open. A headless page has no focus, and so no current widget by itself.
NOTEBOOK = "Array.from(jupyterapp.shell.widgets('main')).find(one => one.content?.widgets)"
# Every code cell has run.
DONE = (
    f"({NOTEBOOK}).content.widgets.filter(cell => cell.model.type === 'code').every(cell => "
    "cell.model.executionState !== 'running' && cell.model.executionCount > 0)"
)
# No network, and nothing written into the checkout's notebooks.
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}


class Lab:
    """A JupyterLab on 127.0.0.1; `with` ends it and its kernels."""

    def __init__(self, root: Path, home: Path, **environment: str):
        self.root, self.home = root, home
        self.environment = {**os.environ, **environment, "JUPYTER_RUNTIME_DIR": str(home)}
        for name in ("PYTHONPATH", "JUPYTER_TOKEN"):
            self.environment.pop(name, None)

    def __enter__(self) -> "Lab":
        for name, settings in SETTINGS.items():
            path = self.home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(settings))
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"),
                *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.root}"),
                *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
                f"--LabApp.user_settings_dir={self.home / 'settings'}",
                f"--LabApp.workspaces_dir={self.home / 'workspaces'}",
            ],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait(lambda: self._told() != {}, 120, "JupyterLab")
        self.url = self._told()["url"]
        return self

    def _told(self) -> dict:
        """What it says of itself; nothing before the file is whole."""
        try:
            return json.loads(next(self.home.glob("jpserver-*.json")).read_text())
        except (StopIteration, json.JSONDecodeError):
            return {}

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def open(self, browser: Chromium, name: str) -> Tab:
        """A notebook, all of its cells run from top to bottom."""
        tab = browser.page(f"{self.url}lab/tree/{name}?token={TOKEN}&reset")
        tab.until(
            f"typeof jupyterapp === 'object' && ({NOTEBOOK})?.content.widgets.length > 1", 180
        )
        tab.js(f"jupyterapp.shell.activateById(({NOTEBOOK}).id); jupyterapp.shell.collapseLeft()")
        tab.until(f"({NOTEBOOK}).sessionContext.session?.kernel?.status === 'idle'", 120)
        tab.js("jupyterapp.commands.execute('notebook:run-all-cells'); 1")
        tab.until(DONE, 300)
        return tab
