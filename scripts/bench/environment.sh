#!/bin/sh
# Makes the two environments of the benchmark peers under build/, from hash-checked locks; does nothing when they are up to date.
# py_vollib_vectorized runs with numba 0.59 only, so it lives in the second.
set -eu
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}
for pair in bench-env:requirements-bench.lock bench-old:requirements-bench-old.lock; do
    folder=build/${pair%%:*} lock=${pair##*:}
    if ! cmp -s "$lock" "$folder/installed.lock"; then
        "$PYTHON" -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet --require-hashes -r "$lock"
        cp "$lock" "$folder/installed.lock"
    fi
done
