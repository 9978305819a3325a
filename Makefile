# `make help` lists the targets. Everything runs in .venv, which the first target that needs it
# builds from requirements.lock; nothing outside this folder is changed.

PYTHON ?= python3
BIN := .venv/bin
SELECT = not soak and not browser and not notebook

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help verify test check lint soak mutants bench record certificates

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 16

verify: .venv/.ready ## audit every claim; leaves out/verify.json and out/index.html
	@$(BIN)/flatproof verify --out out

test: .venv/.ready ## run the tests, without soak, browser and all notebooks but one
	@$(BIN)/pytest -m "$(SELECT)"

check: SELECT = not soak
check: lint test ## format, lint, types, import contracts, all tests but soak (needs chromium)

lint: .venv/.ready ## format, lint, types and import contracts alone
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports --no-logo

SLURM = slurmctld slurmd slurm-client munge
TORCH_TESTS = tests/proofs_check/test_conform_torch.py tests/theory/test_network_torch.py

soak: .venv/.ready .venv-bench/.ready ## run the slow tests (needs Debian's Slurm, and installs torch)
	@command -v slurmctld slurmd sbatch munged >/dev/null || { \
	  echo "Installing $(SLURM)"; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends $(SLURM) >/dev/null; }
	@$(BIN)/pytest -m soak --timeout 3600 $(TORCH_TESTS:%=--ignore %)
	@.venv-bench/bin/python -m pytest -m soak $(TORCH_TESTS)

mutants: .venv/.ready ## say every claim a little differently: none may be PROVED and false (hours)
	@$(BIN)/python -m proofs_check.search.mutation

bench: .venv-bench/.ready ## time simulator and stability beside peers (some minutes, 3 GB to install)
	@failed=0; \
	.venv-bench/bin/python -m benchmarks.simulate || failed=1; \
	.venv-bench/bin/python -m benchmarks.stability || failed=1; \
	exit $$failed

record: .venv/.ready ## audit, then rewrite the recorded verdicts and the table in README.md
	@$(BIN)/python -m proofs_check.record

certificates: .venv/.ready ## find every committed certificate again, from the claims alone (about an hour)
	@$(BIN)/python -m proofs_check.search.certificates

# Both stamps are written last, and --clear removes them first: a set-up that was interrupted does
# not count as ready and starts anew.
.venv/.ready: .venv/.packages pyproject.toml
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.packages: requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("flatproof needs Python 3.11 or newer; name one with PYTHON=..., for example: make verify PYTHON=python3.11")'
	@echo "Setting up .venv from requirements.lock (once, about a minute)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# The peers never enter .venv: what flatproof needs, and what it is compared with, stay apart.
.venv-bench/.ready: requirements.lock benchmarks/requirements.txt
	@echo "Setting up .venv-bench"
	@$(PYTHON) -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@.venv-bench/bin/python -m pip install -qq --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@
