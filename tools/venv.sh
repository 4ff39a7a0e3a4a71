#!/bin/sh
# Makes .venv from requirements/dev.txt with the newest Python that really runs (a pyenv shim may be there and refuse). PYTHON=… chooses one.
set -eu

case "$(uname -s) $(uname -m)" in
    "Linux x86_64" | "Linux aarch64") ;;
    *) echo "make: the plane and its clusters run on Linux, x86-64 or arm64; this is $(uname -s) $(uname -m)" >&2 && exit 1 ;;
esac

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

right() { usable .venv/bin/python && { [ -z "${PYTHON:-}" ] || [ "$(.venv/bin/python -V)" = "$("$PYTHON" -V 2>&1)" ]; }; }

if ! right; then
    found=
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if usable "$candidate"; then found=$candidate && break; fi
    done
    if [ -z "$found" ]; then
        echo "make: no Python 3.11 or newer runs here (tried: ${PYTHON:-python3.13 python3.12 python3.11 python3}); install one, or name it: make PYTHON=/path/to/python3" >&2
        exit 1
    fi
    if ! "$found" -c 'import venv, ensurepip' 2>/dev/null; then
        echo "make: $found lacks its venv module; install it (Debian and Ubuntu: apt install python3-venv), or name another Python: make PYTHON=/path/to/python3" >&2
        exit 1
    fi
    echo "make: .venv with $("$found" -V)"
    "$found" -m venv --clear .venv
fi

# `uv` first, checked by its hash like everything else; it then installs the rest in seconds.
if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/uv.txt)" ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/uv.txt
fi
# Where Python may not write bytecode, it would compile every package at every start of every command and test process.
bytecode=${PYTHONDONTWRITEBYTECODE:+--compile-bytecode}
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes $bytecode requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
[ -z "$bytecode" ] || .venv/bin/python -m compileall -q plane
touch .venv/bin/.ready
