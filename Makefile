# `make run` and `make test` make their own environment; nothing else is needed before them.
.DEFAULT_GOAL := help
.PHONY: help run test chaos chaos-full check setup vllm proto lock clean

PORT ?= 8080
ARGS ?=
BIN := .venv/bin
# The first Python that fits and works: a name on the PATH may be a shim of nothing.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
endif

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  Without a GPU the small build of torch is taken where it can be had; TORCH_BACKEND=cpu|cu130|registry overrides."

run: setup ## start everything and print the page's address (PORT=8080, ARGS="--only inference --ephemeral")
	@exec $(BIN)/headrace up --port $(PORT) $(ARGS)

test: setup ## all tests, on the real parts (ARGS="-k name")
	@exec $(BIN)/python -m pytest $(ARGS)

chaos: setup ## attack the promises, at a size for CI (ARGS="--only 2 5")
	@exec env PYTHONPATH=libs:. $(BIN)/python -m tests.chaos $(ARGS)

chaos-full: setup ## the same at the published size: hours, in parts; cut off, it goes on where it was
	@exec env PYTHONPATH=libs:. $(BIN)/python -m tests.chaos --full $(ARGS)

check: setup ## formatting, lint, types, import contracts, architecture: under a minute
	@exec .ci/check

setup: ## make or update .venv from the locks
ifeq ($(PYTHON),)
	@echo "set-up: Python 3.11, 3.12 or 3.13 is needed and was not found on the PATH."; \
	echo "        Debian and Ubuntu: apt-get install python3 python3-venv python3-pip; Fedora: dnf install python3.12;"; \
	echo "        or name one: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3.12"; exit 1
else
	@$(PYTHON) infra/bootstrap.py
endif

vllm: setup ## an environment for the engine vLLM, for machines with a GPU: 9 GB in .venv-vllm
	@test -x .venv-vllm/bin/python || .venv/bootstrap/bin/uv venv --quiet --python $(BIN)/python .venv-vllm
	@VIRTUAL_ENV=.venv-vllm .venv/bootstrap/bin/uv pip sync --require-hashes infra/locks/vllm.txt

proto: setup ## generate libs/headrace/v1 from proto/
	@$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=libs --pyi_out=libs proto/headrace/v1/*.proto
	@$(BIN)/python infra/proto/describe.py

UV_COMPILE := .venv/bootstrap/bin/uv pip compile --quiet --universal --no-emit-index-url --no-header --no-annotate --generate-hashes

lock: setup ## resolve the dependencies of pyproject.toml anew, with hashes (ARGS="--upgrade")
	@$(UV_COMPILE) $(ARGS) --extra all --extra dev --extra postgres pyproject.toml -o infra/locks/all.txt
	@$(UV_COMPILE) $(ARGS) -c infra/locks/all.txt infra/locks/build.in -o infra/locks/build.txt
	@$(UV_COMPILE) $(ARGS) infra/locks/bootstrap.in -o infra/locks/bootstrap.txt
	@$(UV_COMPILE) $(ARGS) --python-version 3.11 infra/locks/vllm.in -o infra/locks/vllm.txt

clean: ## remove the environment, the data (.headrace) and what tools left; downloads stay in the cache
	@rm -rf .venv .venv-vllm .headrace .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
