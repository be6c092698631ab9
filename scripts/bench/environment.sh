#!/bin/sh
# Makes an environment of benchmark peers from its hash-checked lock; does nothing when it is up to date.
# environment.sh [bench | bench-latency | bench-backtest]
set -eu
cd "$(dirname "$0")/../.."
name=${1:-bench}
folder=build/$name-env lock=requirements-$name.lock
if ! cmp -s "$lock" "$folder/installed.lock"; then
    "${PYTHON:-python3}" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --require-hashes -r "$lock"
    cp "$lock" "$folder/installed.lock"
fi
