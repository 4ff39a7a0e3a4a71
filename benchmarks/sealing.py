"""What secrets cost: sealing, opening and fingerprinting one value of 4 KiB, and filling a release of Secrets.

python benchmarks/sealing.py [--values 1000] [--json]
"""

import argparse
import base64
import functools
import json
import os
import pathlib
import sys
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from plane.adapters.secrets import envelope, sealing
from plane.domain import objects
from plane.domain.reading import manifests
from plane.domain.rendering import opening, secrets

SIZE_BYTES = 4096


def measure(work: Callable[[], object], times: int) -> float:
    """Microseconds per call, best of three rounds."""
    rounds = []
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(times):
            work()
        rounds.append((time.perf_counter() - started) / times)
    return min(rounds) * 1e6


def secret(index: int) -> objects.Manifest:
    """A Secret of four short values."""
    data = {name: base64.b64encode(os.urandom(24)).decode() for name in ("user", "password", "host", "token")}
    return manifests.of({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"s-{index}", "namespace": "shop"}, "data": data})


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--values", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    keys, sealer, local = sealing.new_key_pair(), sealing.Hpke(), envelope.Local(secrets.Secret(os.urandom(32)))
    value, place = secrets.Secret(os.urandom(SIZE_BYTES)), secrets.Place(objects.ObjectKey("", "Secret", "shop", "db"), "/data/password")
    context = secrets.sealing_context(cluster="c", app="a", release="r", place=place)
    sealed, wrapped = sealer.seal(keys.public, value, context), local.wrap(value, context=context)
    four = tuple(secret(index) for index in range(4))
    name = functools.partial(secrets.fingerprint, b"k" * 32)
    works: dict[str, Callable[[], object]] = {
        "seal 4 KiB": lambda: sealer.seal(keys.public, value, context),
        "open 4 KiB": lambda: sealing.open_sealed(keys.private, sealed, context),
        "fingerprint 4 KiB": lambda: name(place, value),
        "wrap 4 KiB": lambda: local.wrap(value, context=context),
        "unwrap 4 KiB": lambda: local.unwrap(wrapped, context=context),
        "find needs of 4 Secrets": lambda: opening.needs(four, aliases=frozenset()),
        "fill 4 Secrets of 4 values": lambda: opening.fill(four, opening.Opened(), name=name),
    }
    results = {label: measure(work, options.values) for label, work in works.items()}
    if options.json:
        print(json.dumps(results))
        return
    for label, microseconds in results.items():
        print(f"{label:28}{microseconds:10.1f} µs")


if __name__ == "__main__":
    main()
