# The two commands of a fresh machine are `make demo` and `make test`. Both set up .venv first; a second call starts in seconds.
.DEFAULT_GOAL := help
.PHONY: help prerequisites setup demo test test-slow test-least coverage check docs bench speed fuzz faults soak audit lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EVENTS ?=
KILLS ?= 100
SEED ?= 5
WORKERS ?= 2
REPEATS ?= 5
MINUTES ?= 60
RATE ?= 200
COVERED := bench conformance encoders gateway infra learner recipes security store stream upwell
STAMP := $(VENV)/.installed
# so that no test waits for a minute
COMPILE := from learner.training.warmup import compile_kernels; compile_kernels()
# Each worker imports torch and Faust anew: without their bytecode on disk that takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Upwell needs Python 3.11 or newer: apt-get install python3 python3-venv"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: apt-get install python3-venv"; exit 2; }
	@$(BIN)/pip install --quiet --disable-pip-version-check uv

$(STAMP): pyproject.toml requirements.lock | $(BIN)/uv
	@echo "installing into $(VENV) (once; half a minute to a few minutes) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

prerequisites:
	@test -n "$$UPWELL_KAFKA" || { command -v java >/dev/null && command -v mvn >/dev/null; } || { \
	  echo "Upwell starts a real Apache Kafka and needs Java 17 and Maven: apt-get install openjdk-17-jre-headless maven"; exit 2; }

## make setup    .venv with everything that is needed
setup: prerequisites $(STAMP)

## make demo     the MovieLens log through real Kafka, a language model and the learner; EVENTS=20000 for the short form
demo: setup
	@$(BIN)/upwell demo $(if $(EVENTS),--events $(EVENTS))

## make test     formatting, types, import arrows, tests on two processors, each with a real broker; WORKERS=2
test: setup check
	@$(BIN)/python -c "$(COMPILE)"
	@$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist worksteal

## make test-slow  what takes tens of seconds each: restores, hosts, encoders, pictures under kills; before a release
test-slow: setup
	@$(BIN)/python -c "$(COMPILE)"
	@$(BIN)/python -m pytest -m slow -n $(WORKERS) --dist worksteal

## make test-least  the numeric rooms' tests as on a processor without AVX and bf16
test-least: $(STAMP)
	@$(BIN)/python -m tests.least -n$(WORKERS) --dist=worksteal

## make coverage which lines and branches the tests without a broker reach; fails below the figure in pyproject.toml
coverage: $(STAMP)
	@$(BIN)/python -m pytest -m "not broker and not slow" -n $(WORKERS) --dist worksteal --cov --cov-report=term:skip-covered $(patsubst %,tests/%,$(COVERED))

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

## make docs     docs/cli.md, docs/settings.md, docs/metrics.md, docs/schemas and the dashboards from the code, then the site in site/
docs: $(STAMP)
	@$(BIN)/python -m upwell.settings.table > docs/settings.new && mv docs/settings.new docs/settings.md
	@$(BIN)/python -m stream.metrics.table > docs/metrics.new && mv docs/metrics.new docs/metrics.md
	@$(BIN)/python -m stream.ops.commands.page > docs/cli.new && mv docs/cli.new docs/cli.md
	@$(BIN)/python -m infra.dashboards
	@$(BIN)/python -m upwell.schemas
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

## make bench    quality on the first 40,000 ratings of MovieLens, against its peers
bench: setup
	@$(BIN)/python bench/prequential.py data/movielens/events.jsonl.gz --ratings 40000

## make speed    throughput, freshness, idle, two workers, the gateway, scale beside the naive loop on the Qdrant server that UPWELL_TEST_QDRANT_URL names; REPEATS=5
speed: setup
	@$(BIN)/python bench/speed/throughput.py data/movielens/events.jsonl.gz --repeats $(REPEATS)
	@$(BIN)/python bench/speed/freshness.py data/movielens/events.jsonl.gz --repeats $(REPEATS)
	@$(BIN)/python bench/speed/idle.py data/movielens/events.jsonl.gz --repeats $(REPEATS)
	@$(BIN)/python bench/speed/workers.py data/movielens/events.jsonl.gz --repeats $(REPEATS)
	@$(BIN)/python bench/speed/gateway.py --repeats $(REPEATS)
	@$(BIN)/python bench/speed/scale.py --repeats $(REPEATS)

## make fuzz     100,000 hostile inputs through decode, validate and log reading, 10,000 requests at the gateway
fuzz: setup
	@$(BIN)/python -m tests.fuzz.run --inputs 100000
	@$(BIN)/python -m tests.fuzz.http --requests 10000

## make faults   every fault of docs/reliability.md against a replay on real Kafka, and what was lost or doubled; KILLS=100, SEED=5
faults: setup
	@$(BIN)/python -m tests.faults.run --kills $(KILLS) --seed $(SEED)

## make soak     the live page open in Chromium under a stream of events, and what memory it and the processes take; MINUTES=60 RATE=200
soak: setup
	@$(BIN)/python -c "$(COMPILE)"
	@$(BIN)/python -m tests.soak.page --minutes $(MINUTES) --rate $(RATE)

## make audit    known vulnerabilities in the locked dependencies; says so where the advisory service cannot be reached
audit: $(STAMP)
	@$(BIN)/python -m tests.security.audit

## make lock     resolve the dependencies anew into requirements.lock
lock: | $(BIN)/uv
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 --group test --group docs --extra adapt --extra federate --extra openvino --extra gateway --extra images --extra trace --extra track --extra tune pyproject.toml -o requirements.lock

## make clean    remove .venv and the local data folder
clean:
	rm -rf $(VENV) .upwell
