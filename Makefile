# Each target is enough on a fresh machine with Python, make and a package index (or a wheelhouse).
# PYTHON=/path/to/python3.11: another one than the first that fits on the path.
PYTHON   ?=
VERSIONS := 3.11
VENV     := .venv
BIN      := $(VENV)/bin
READY    := $(VENV)/.ready
PIP      := $(BIN)/python -m pip --disable-pip-version-check
# What was pinned; `make test-latest` takes the newest of all.
INSTALL  := $(PIP) install --quiet -r requirements.txt && $(PIP) install --quiet --no-deps --editable .
LATEST   := $(PIP) install --quiet --upgrade --upgrade-strategy eager --editable '.[notebook,readers,test]'
# `make wheelhouse EXTRAS=gpu`
EXTRAS   ?= notebook,lab,readers
LAB      ?=

.PHONY: demo test test-latest pytest lint format install notebook docs wheelhouse clean always

demo: $(READY)   ## the whole study in miniature, on generated data: runs/demo/report.html
	$(BIN)/python -m evaluate.study --preset demo --out runs/demo

# The type checker runs beside the tests: these do not keep two cores busy all the time.
test: $(READY)
	$(MAKE) --no-print-directory --jobs=2 lint pytest

# And with TensorFlow's optimization of graphs, see tests/graphs.py.
test-latest:     ## the tests with the newest packages, on Python 3.13, 3.12 or 3.11
	PGCXR_GRAPPLER=1 $(MAKE) --no-print-directory pytest VENV=.venv-latest VERSIONS="3.13 3.12 3.11" INSTALL='$$(LATEST)'

pytest: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --cache-dir=/dev/null

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(READY)

notebook: $(READY)     ## the notebooks in JupyterLab; `make notebook LAB=--no-browser` on a server
	$(BIN)/python -c "import jupyterlab" 2> /dev/null || $(PIP) install --quiet --editable '.[lab]'
	$(BIN)/python -m jupyter lab $(LAB) notebooks

docs: $(READY)         ## the documentation: site/index.html, to be opened from the disk
	$(BIN)/python -c "import furo, myst_parser" 2> /dev/null || \
	  $(PIP) install --quiet --constraint docs/requirements.txt --editable '.[docs]'
	rm -rf site
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -c docs -d build/doctrees . site
	$(BIN)/python docs/check_site.py site

wheelhouse: $(READY)   ## wheelhouse/: all that an installation without network needs
	$(PIP) wheel --quiet --wheel-dir wheelhouse -r requirements.txt -c docs/requirements.txt 'setuptools>=68' wheel '.[$(EXTRAS)]'

# The stamp is written last, so that an interrupted installation is made again.
$(READY): $(VENV)/.python requirements.txt setup.cfg pyproject.toml
	$(INSTALL)
	touch $(READY)

$(VENV)/.python: always
	@sh tools/venv.sh $(VENV) "$(VERSIONS)" "$(PYTHON)"

clean:
	rm -rf .venv .venv-latest wheelhouse build site docs/reference *.egg-info
