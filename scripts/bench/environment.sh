#!/bin/sh
# Makes the environment of the benchmark peers, build/bench-env, from its hash-checked lock; does nothing when it is up to date.
set -eu
cd "$(dirname "$0")/../.."
folder=build/bench-env lock=requirements-bench.lock
if ! cmp -s "$lock" "$folder/installed.lock"; then
    "${PYTHON:-python3}" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --require-hashes -r "$lock"
    cp "$lock" "$folder/installed.lock"
fi
