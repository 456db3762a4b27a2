# Everything is one word: make demo, make test. Both set up .venv when it is missing.

PYTHON ?= python3
CH ?=
BASE ?= @{upstream}

.PHONY: demo install test changed slowest lint notebooks soak
demo: ; @$(PYTHON) bootstrap.py demo && .venv/bin/lab demo
install: ; @$(PYTHON) bootstrap.py test
test: ; @$(PYTHON) bootstrap.py test && .venv/bin/python -m tests $(CH)
lint: ; @$(PYTHON) bootstrap.py test && .venv/bin/pre-commit run --all-files
notebooks: ; @$(PYTHON) bootstrap.py test && .venv/bin/python -m lab.authoring.notebooks
soak: ; @$(PYTHON) bootstrap.py test && .venv/bin/python -m tests --soak $(CH)
changed: ; @$(PYTHON) bootstrap.py test && .venv/bin/python -m tests --changed --base $(BASE)
slowest: ; @$(PYTHON) bootstrap.py test && .venv/bin/python -m tests --slowest 30 $(CH)
