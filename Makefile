# The first call of a target sets up .venv; later calls reuse it until pyproject.toml changes.
PYTHON ?= python3
# A version with builds for the processor alone; see the README for how to get one on Linux.
TORCH ?= torch==2.13.0
OUT ?= results/replicate
# The server's options, such as LAB_ARGS=--no-browser.
LAB_ARGS ?=

BIN := .venv/bin
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
endif

# The whole project is within reach of the notebooks' links, and the first notebook is open.
OPENED := --ServerApp.root_dir=. notebooks/00_start_here.ipynb

# In a container one is often root, which Jupyter wants to be told.
ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)

.PHONY: help lab test test-fast replicate notebooks student solutions handout online book format lint

help:
	@echo "make lab        open the course in JupyterLab"
	@echo "make test       run all notebooks and tests"
	@echo "make test-fast  run the tests that need neither notebooks nor a browser"
	@echo "make replicate  train the eleven variants on the embedded field: a table and a figure"
	@echo "make notebooks  make all notebooks from their sources and run them"
	@echo "make student    write learners' notebooks, without outputs, to student"
	@echo "make solutions  write solved notebooks to solutions"
	@echo "make handout    pack the project for learners, without answers, into handout.zip"
	@echo "make online     write notebooks for Colab to online, and links to the README; REPOSITORY=https://github.com/..."
	@echo "make book       build the course and the library's reference as pages, in build/book"
	@echo "make lint       check style;  make format  mend it"

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which with make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --editable ".[lab]"
	@touch $@

# What tests and contributors need beyond that.
.venv/develop: .venv/ready
	$(BIN)/python -m pip install --quiet --editable ".[book,cluster,export,lab,source,test]"
	@touch $@

# What a learner gets: with the optional extra `source`, pandas is older than `make lab` installs.
LEARNER := .venv/learner/$(notdir $(BIN))
.venv/learner/ready: .venv/ready
	$(PYTHON) -m venv .venv/learner
	$(LEARNER)/python -m pip install --quiet --upgrade pip
	$(LEARNER)/python -m pip install --quiet "$(TORCH)"
	$(LEARNER)/python -m pip install --quiet --editable ".[lab]" hypothesis pytest
	@touch $@

lab: .venv/ready
	$(BIN)/jupyter lab $(ROOT) $(LAB_ARGS) $(OPENED)

# The notebooks run first, on a copy, and the tests then look at what their kernels left behind. A few processes share
# the work, each of one thread: on a busy machine two threads wait for each other most of the time.
SHARED_OUT := -n auto --maxprocesses=4 --dist worksteal
test: export OMP_NUM_THREADS = 1
test: export OPENBLAS_NUM_THREADS = 1
test: .venv/develop .venv/learner/ready
	rm -rf build/notebooks && mkdir -p build && cp -r notebooks build/notebooks && rm -r build/notebooks/source
	$(BIN)/python -m pytest $(SHARED_OUT) --nbmake --overwrite --nbmake-timeout=300 --durations=20 build/notebooks
	BIORNN_EXECUTED=build/notebooks $(BIN)/python -m pytest $(SHARED_OUT) --durations=40 tests
	$(LEARNER)/python -m pytest -q -m "not slow" -W error::pandas.errors.PandasChangeWarning \
		tests/test_statistics.py tests/test_results.py tests/test_field_statistics.py tests/test_figures_study.py

replicate: .venv/ready
	$(BIN)/python -m biornn_lite replicate --runs 3 --out $(OUT)

test-fast: .venv/develop
	$(BIN)/python -m pytest -m "not browser and not slow" -q tests

online: .venv/ready
	$(BIN)/python notebooks/editions.py online --repository "$(REPOSITORY)"

student solutions handout: .venv/ready
	$(BIN)/python notebooks/editions.py $@

notebooks: .venv/develop
	$(BIN)/python notebooks/run_all.py

# Shows the notebooks as they were run; needs no network. From nothing, so that every warning is seen.
book: .venv/develop
	rm -rf build/book
	$(BIN)/python -m sphinx -W --keep-going -c docs . build/book

lint: .venv/develop
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: .venv/develop
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .
