# One entry point for people and CI. `make app` and `make test` work on a fresh machine.
PYTHON ?= python3
PY := .venv/bin/python
# The real datasets: the folders beside the checkout if they are there, else the Hugging Face Hub.
DATA := $(wildcard ../shared/data)
IMDB := $(if $(DATA),$(DATA)/imdb,stanfordnlp/imdb)
SST2 := $(if $(DATA),$(DATA)/sst2,stanfordnlp/sst2)
TWEETS := $(if $(DATA),$(DATA)/tweet_sentiment,cardiffnlp/tweet_eval:sentiment)

.PHONY: app install test test-slow check fix train-release bench bench-explain bench-rivals bench-behaviour bench-cells fuzz load screenshots

app: .venv/runtime
	$(PY) app.py

install: .venv/dev

# The files in the order of tests/conftest.py: those of the browser tests, which take longest, share one Chromium.
PYTEST := $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
test: .venv/dev
	$(PYTEST) -m "not slow"

test-slow: .venv/dev
	$(PYTEST) -m slow

check: .venv/dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache

fix: .venv/dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# The shipped checkpoint, from the datasets; each stage resumes, and its results stay in WORK. AMOUNTS, such as
# AMOUNTS="--sentences 20000 --student-epochs 1", makes it shorter (see `python -m sentiment_gru.distillation -h`).
TEACHER := $(or $(wildcard ../shared/models/all-MiniLM-L6-v2),sentence-transformers/all-MiniLM-L6-v2)
HELD_OUT := $(wildcard benchmarks/frozen/*.csv benchmarks/development/*.csv benchmarks/behaviour/*/*.csv)
# The initial checkpoint is an earlier release, read from the history of this repository.
START_COMMIT := 8bd5158
START := out/start/sentiment_gru/pretrained
WORK := out/release
RELEASE := sentiment_gru/pretrained
train-release: .venv/runtime $(START)
	OMP_NUM_THREADS=1 $(PY) -m sentiment_gru.distillation $(if $(DATA),--data $(DATA)) --teacher $(TEACHER) \
		--start $(START) --held-out $(HELD_OUT) --work $(WORK) --output-dir $(RELEASE) \
		--table benchmarks/results/recipe.json $(AMOUNTS)
	$(PY) -m sentiment_gru.web.examples
	$(PY) benchmarks/failures.py
	$(PY) benchmarks/readme.py

$(START):
	mkdir -p out/start
	git archive $(START_COMMIT) sentiment_gru/pretrained | tar -x -C out/start

# How fast all is, beside rivals and beside what the machine can do; leave the machine alone meanwhile.
bench: .venv/dev
	$(PY) benchmarks/serving.py
	$(PY) benchmarks/readme.py

# What the README says of explanations, of the rival and of the frozen lists, measured anew.
bench-explain: .venv/runtime
	$(PY) benchmarks/explanations.py

bench-rivals: .venv/runtime
	$(PY) benchmarks/nbsvm.py $(IMDB)
	$(PY) benchmarks/frozen_lists.py
	$(PY) benchmarks/readme.py

# The behaviour suite, beside VADER and NB-SVM. The frozen half is scored once per released model.
bench-behaviour: .venv/dev
	$(PY) benchmarks/behaviour.py --half development --rivals --dataset $(IMDB) $(SST2) $(TWEETS) \
		--json benchmarks/results/behaviour.json
	$(PY) benchmarks/behaviour.py --half frozen --rivals --dataset $(IMDB) $(SST2) $(TWEETS) \
		--json benchmarks/results/behaviour.json

# RNN, LSTM and GRU side by side. Existing results are kept: delete a file of sentiment_gru/web/inside/results to
# measure it again.
bench-cells: .venv/dev
	OMP_NUM_THREADS=1 $(PY) -m benchmarks.cells --imdb $(IMDB)
	$(PY) benchmarks/readme.py

# Odd files and payloads for two minutes, then new examples for every property test. A crash is printed and kept in
# out/fuzz, and the exit code is 1.
fuzz: .venv/dev
	$(PY) -m benchmarks.fuzz
	$(PY) -m pytest -n 2 -m hypothesis --hypothesis-profile explore

# A hundred visitors for three minutes; wants a machine that does nothing else.
load: .venv/runtime
	OMP_NUM_THREADS=1 $(PY) benchmarks/load.py
	$(PY) benchmarks/readme.py

screenshots: .venv/dev
	$(PY) benchmarks/screenshots.py

.venv/runtime: requirements.txt
	$(PYTHON) -m venv .venv
	$(PY) -m pip install -q -r requirements.txt
	touch $@

.venv/dev: requirements-dev.txt .venv/runtime
	$(PY) -m pip install -q -r requirements-dev.txt
	touch $@
