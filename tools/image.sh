#!/bin/sh
# Builds the plane's wheel and installs it with one extra's locked packages into a fresh environment: tools/image.sh EXTRA TARGET.
# The Dockerfile runs it, and so does tests/packaging. Needs `uv` on PATH; PYTHON names the interpreter of the environment,
# UV_COMPILE_BYTECODE=0 leaves the bytecode to the first import.
set -eu
extra=$1 target=$2
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
export UV_COMPILE_BYTECODE="${UV_COMPILE_BYTECODE:-1}"

uv build --quiet --wheel --python "${PYTHON:-python3}" --require-hashes --build-constraints requirements/dev.txt --out-dir "$wheels"
uv venv --quiet --python "${PYTHON:-python3}" "$target"
uv pip sync --quiet --python "$target/bin/python" --require-hashes "requirements/$extra.txt"
uv pip install --quiet --python "$target/bin/python" --no-deps "$wheels"/*.whl
