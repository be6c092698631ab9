# Everything sets itself up: Python >= 3.11, git and make are all a machine needs.
.DEFAULT_GOAL := help
.PHONY: help setup demo gauntlet test test-chaos test-unit test-contracts test-deep test-integration test-ape lint fmt abi \
	slither halmos gas coverage-contracts mutation-contracts lock bench-quant bench-latency bench-backtest bench-sweep study chaos clean
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

setup: ## virtual environment, packages, node, compiler, contracts (idempotent)
	@$(PYTHON) scripts/setup.py

demo: setup ## twin vaults through a crash: one with the keeper, one without
	@$(BIN)/keeper demo $(DEMO)

test: setup ## every suite, with counts and time
	@$(BIN)/python scripts/run_tests.py

test-unit: setup ## unit and property tests, replays (no network)
	@$(BIN)/python scripts/run_tests.py unit

test-contracts: setup ## forge: unit, fuzz, invariants
	@$(BIN)/python scripts/run_tests.py contracts

test-deep: setup ## the nightly campaign: five million calls against the invariants
	@$(BIN)/python -m scripts.contracts.deep $(DEEP)

test-integration: setup ## the real keeper and demo on the forked local mainnet
	@$(BIN)/python scripts/run_tests.py integration

test-ape: setup ## contracts against real protocols on ethereum:mainnet-fork:foundry
	@$(BIN)/python scripts/run_tests.py ape

CHAOS_SCHEDULES ?= 1000
CHAOS_KILLS ?= 200
CHAOS_SEED ?= 0
CHAOS_JOBS ?= 2

test-chaos: setup ## the short campaign of faults, and a dozen kill -9 of the real process
	@$(BIN)/python scripts/run_tests.py chaos

chaos: setup ## faults by the thousand between keeper and node, and kill -9 (CHAOS_SCHEDULES, _KILLS, _SEED, _JOBS)
	@$(BIN)/python -m tests.chaos.campaign --schedules $(CHAOS_SCHEDULES) --seed $(CHAOS_SEED) --jobs $(CHAOS_JOBS)
	@$(BIN)/python -m tests.chaos.killing --kills $(CHAOS_KILLS)

gauntlet: setup ## every strategy x every scenario x three seeds, block by block (GAUNTLET="--seeds 6 --only gap")
	@$(BIN)/python -m tests.gauntlet --deep $(GAUNTLET)

lint: setup ## formatters, linters, types, import rule, committed ABIs
	@$(BIN)/python scripts/lint.py

fmt: setup ## rewrite files in the formatters' style
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/forge fmt

abi: setup ## rewrite keeper/abi from the compiled contracts
	@$(BIN)/python scripts/abi.py

slither: setup ## static analysis: no high or medium finding without a reason
	@$(BIN)/python -m scripts.contracts.slither $(SLITHER)

halmos: setup ## prove the lemmas of tests/halmos
	@$(BIN)/python -m scripts.contracts.halmos $(HALMOS)

gas: setup ## gas of every entry point against tests/forge/gas.json (GAS=--update rewrites it)
	@$(BIN)/python -m scripts.contracts.gas $(GAS)

coverage-contracts: setup ## lines and branches of contracts/ that the forge tests reach
	@$(BIN)/python -m scripts.contracts.coverage $(COVERAGE)

mutation-contracts: setup ## change the contracts a little: does a test fail? (MUTATION="Vault --sample 50")
	@$(BIN)/python -m scripts.contracts.mutate $(MUTATION)

bench-quant: setup ## the numerics beside their peers (in build/bench-env); JSON to build/bench
	@PYTHON=$(BIN)/python scripts/bench/environment.sh
	@build/bench-env/bin/python -m scripts.bench.options
	@build/bench-env/bin/python -m scripts.bench.tick
	@build/bench-env/bin/python -m scripts.bench.surface
	@for part in "tick --plot" garch montecarlo risk; do $(BIN)/python -m scripts.bench.$$part || exit 1; done

bench-latency: setup ## head to pool beside web3.py and silverback (in build/bench-latency-env); about 20 minutes
	@PYTHON=$(BIN)/python scripts/bench/environment.sh bench-latency
	@$(BIN)/python -m scripts.bench.latency $(LATENCY)

bench-backtest: setup ## bar-steps a second beside nautilus_trader and backtesting.py (in build/bench-backtest-env)
	@PYTHON=$(BIN)/python scripts/bench/environment.sh bench-backtest
	@$(BIN)/python -m scripts.bench.backtest $(BACKTEST)

bench-sweep: setup ## bar-steps a second of the compiled kernel beside the full pipeline
	@$(BIN)/python -m scripts.bench.sweep $(SWEEP)

STUDIES ?= hedging planning protection strategies calibration plots

study: setup ## what rules and strategies did on real history (GIMBAL_MARKET_DATA); tables to build/study
	@for part in $(STUDIES); do $(BIN)/python -m scripts.study.$$part $(STUDY) || exit 1; done

lock: ## rewrite the requirement locks (needs uv)
	@scripts/lock.sh

clean: ## remove what make built, not what it installed
	rm -rf build/forge build/demo build/localnet build/ape
