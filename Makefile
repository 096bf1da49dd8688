# make demo    find the lesions of a synthetic whole-body PET/CT that the model has never seen
# make test    formatting, lint, types and everything that a change can break
# make test-all   that, the slow tests and the documentation: what continuous integration runs
# make fuzz    files that lie, and damaged ones, for ten minutes; SECONDS=3600 for an hour
# make lint    formatting, lint and types only
# make table1  the paper's Table 1 on 24 phantoms that no model has seen: most of an hour on two cores
# make bench   seconds and memory beside other ways of doing the same: half an hour
# make docs    the documentation, into site/index.html
# make panel   the Slicer panel in a window, without Slicer
# make screenshots   the README's pictures of the panel, off-screen
#
# Each makes .venv first and installs what it needs, torch through setup_torch.py. Nothing outside
# this folder is touched, but for the system libraries of Qt (Testing/system_libraries.sh).

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALL := $(PYTHON) -m pip install --disable-pip-version-check --quiet

# The first that runs, is recent enough and can make environments; 3.11 first, as in the panel tests.
FIND_PYTHON := for p in python3.11 /usr/bin/python3.11 python3.12 python3.10 python3 python3.13 python3.14; do \
	if $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' \
	2>/dev/null; then echo $$p; break; fi; done

.PHONY: demo test test-all fuzz lint docs table1 bench panel screenshots clean
.DELETE_ON_ERROR:

demo: $(VENV)/.engine
	$(PYTHON) -m PETAnomalyLib.engine.demo

# Compiled modules are kept, whatever the environment says: some hundred processes import them.
PYTEST := QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= \
	$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder

test: lint $(VENV)/.panel
	$(PYTEST) -m "not slow"

# One pytest for both, so that its closing line counts every test. A program that is missing is a
# failure here, and skipped in `make test`.
test-all: lint docs $(VENV)/.panel
	sh Testing/system_libraries.sh programs
	PETANOMALY_TEST_EVERYTHING=1 $(PYTEST)

fuzz: SECONDS = 600
fuzz: $(VENV)/.development
	PYTHONPATH=Testing:Testing/support $(PYTHON) -m fuzz --seconds $(SECONDS)

lint: $(VENV)/.development
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy .

docs: $(VENV)/.docs
	$(PYTHON) -m mkdocs build --strict

# What they measure is kept as a table of the documentation.
table1: $(VENV)/.evaluation
	$(PYTHON) docs/tools/make_table.py --from table1/table1.md table1 \
		$(VENV)/bin/petanomaly evaluate --table1 --out table1 --processes 2

bench: $(VENV)/.development
	$(PYTHON) docs/tools/make_table.py bench $(VENV)/bin/petanomaly bench

panel: $(VENV)/.panel
	PYTHONPATH=Testing:PETAnomaly $(PYTHON) -m harness panel

screenshots: $(VENV)/.panel
	PYTHONPATH=Testing:PETAnomaly QT_QPA_PLATFORM=offscreen $(PYTHON) -m harness screenshots Resources/Screenshots

clean:
	rm -rf $(VENV) demo site build *.egg-info PETAnomaly/*.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.created:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "No Python from 3.10 to 3.14 with its venv module was found. On Debian and Ubuntu:" >&2; \
		echo "  sudo apt-get install python3-venv" >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$python"; $$python -m venv --clear $(VENV)
	touch $@

$(VENV)/.torch: setup_torch.py | $(VENV)/.created
	$(PYTHON) setup_torch.py --python $(PYTHON)
	touch $@

$(VENV)/.engine: pyproject.toml $(VENV)/.torch
	$(INSTALL) -e .
	touch $@

$(VENV)/.evaluation: pyproject.toml $(VENV)/.torch
	$(INSTALL) -e ".[evaluation]"
	touch $@

$(VENV)/.development: pyproject.toml $(VENV)/.torch
	$(INSTALL) -e ".[training,dicom,cluster,development]"
	touch $@

$(VENV)/.docs: pyproject.toml $(VENV)/.torch
	$(INSTALL) -e ".[docs]"
	touch $@

$(VENV)/.panel: pyproject.toml Testing/system_libraries.sh $(VENV)/.development
	sh Testing/system_libraries.sh
	$(INSTALL) -e ".[training,dicom,cluster,development,panel-tests]"
	touch $@
