"""Schemathesis over the whole API with the tokens of two tenants: no failure of ours, and in no answer a byte of the other tenant.

    python -m benchmarks.fuzz [--st PROGRAM] [--phases examples,coverage,fuzzing] [--examples 20] [--seed 1]

A server of its own. Paths name what is there, in either tenant, as often as what is not. `st` comes with `pip install schemathesis` in an
environment of its own: nothing of it is needed to run or test the plane. Ends with 1 and the requests to blame when something was found.
"""

import argparse
import collections
import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from benchmarks import fairness, lists
from plane import config
from plane.run import wiring
from plane.server import bootstrap
from tests.support import rest

TENANTS = {"acme": "canary-of-acme-7f3a", "globex": "canary-of-globex-91bd"}
KNOWN = {"project": ["shop", "absent"], "app": ["web", "absent"], "cluster": ["east", "absent"], "person": ["bob", "absent"]}
APART = r"/(events|logs|audit/stream|logout|me/.*)$"  # streams, which no answer ends, and what ends the caller's own access
UNAVAILABLE = 503  # said of an agent that is not there
FAST = {f"PLANE_RATE_{each}": "100000" for each in ("TOKEN", "TENANT", "ADDRESS", "AGENT")}


def furnish(client: httpx.Client, tenant: str) -> str:
    """A tenant with documents that all hold its canary; the token of its admin."""
    canary = TENANTS[tenant]
    make(client, "/tenants", rest.document("Tenant", tenant, {"description": canary, "displayName": canary}))
    make(client, f"/tenants/{tenant}/people", {"name": "bob"})
    make(client, f"/tenants/{tenant}/people", {"name": "ada"})
    make(client, f"/tenants/{tenant}/people/ada/roles", {"role": "admin"})
    token = str(make(client, f"/tenants/{tenant}/people/ada/tokens", {"name": canary[:30]})["token"])
    shop = f"/tenants/{tenant}/projects/shop"
    make(client, f"/tenants/{tenant}/projects", rest.document("Project", "shop", {"description": canary}))
    make(client, f"{shop}/repositories", rest.document("Repository", "deploy", {"url": f"https://git.example/{canary}"}))
    make(client, f"{shop}/apps", rest.app_document("web", source={"repoURL": f"https://git.example/{canary}", "path": "web"}))
    return token


def make(client: httpx.Client, path: str, body: object) -> dict[str, Any]:
    """What must go well."""
    answer = client.post(f"{rest.V1}{path}", json=body)
    if not answer.is_success:
        sys.exit(f"{path} could not be made: {answer.text}")
    return dict(answer.json())


def narrowed(found: dict[str, Any]) -> dict[str, Any]:
    """The document with names that exist in its paths."""
    for operation in (each for item in found["paths"].values() for each in item.values()):
        for one in operation.get("parameters", ()):
            names = [*TENANTS, "absent"] if one["name"] == "tenant" else KNOWN.get(one["name"])
            if one["in"] == "path" and names:
                one["schema"] = {"type": "string", "enum": names}
    return found


def run(given: argparse.Namespace, folder: pathlib.Path, address: str, caller: tuple[str, str]) -> list[str]:
    """What is wrong with the answers to one tenant."""
    tenant, token = caller
    told = folder / f"{tenant}.har"
    command = [given.st, "run", str(folder / "openapi.json"), "--url", address, "--header", f"Authorization: Bearer {token}"]
    bounds = ["--max-examples", str(given.examples), "--seed", str(given.seed), "--request-timeout", "20", "--continue-on-failure"]
    checks = ["--checks", "not_a_server_error", "--exclude-path-regex", APART, "--phases", given.phases]
    done = subprocess.run(
        [*command, *bounds, *checks, "--report", "har", "--report-har-path", str(told)], cwd=folder, capture_output=True, check=False
    )
    if not told.exists():
        sys.exit(f"{given.st} made no report: {(done.stderr or done.stdout).decode()}")
    entries = msgspec.json.decode(told.read_bytes())["log"]["entries"]
    counted = collections.Counter(entry["response"]["status"] for entry in entries)
    print(f"{tenant}: {len(entries)} requests, answered", *(f"{status}: {count}" for status, count in sorted(counted.items())))
    return sorted({f"{tenant}: {line}" for entry in entries for line in blamed(entry, [TENANTS[one] for one in TENANTS if one != tenant])})


def blamed(entry: dict[str, Any], foreign: list[str]) -> Iterator[str]:
    """What one exchange shows; a canary that was asked with is the caller's own word."""
    asked, answer = entry["request"], entry["response"]
    what = f"{asked['method']} {asked['url']} {asked.get('postData', {}).get('text', '')[:300]}"
    if answer["status"] >= 500 and answer["status"] != UNAVAILABLE:  # noqa: PLR2004 - a failure of ours
        yield f"{answer['status']} for {what}"
    said = json.dumps(answer)
    for canary in foreign:
        if canary in said and canary not in json.dumps(asked):
            yield f"another tenant's {canary} for {what}"


def main() -> None:
    """Print what is wrong, a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--st", default=shutil.which("st") or "", help="Schemathesis' program, if it is not on the PATH.")
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--phases", default="examples,coverage,fuzzing")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not given.st:
        sys.exit("st is not on the PATH; `pip install schemathesis` in an environment of its own and say --st PROGRAM")
    with tempfile.TemporaryDirectory() as name:
        told = fairness.environment(pathlib.Path(name)) | FAST
        with wiring.plane(config.load(told)) as plane:
            server, thread, address = lists.serve(plane, told["DATABASE_URL"])
            try:
                with httpx.Client(
                    base_url=address, headers={"Authorization": f"Bearer {bootstrap.admin(plane.engine, plane.clock)}"}
                ) as client:
                    tokens = [(tenant, furnish(client, tenant)) for tenant in TENANTS]
                    described = narrowed(client.get(f"{rest.V1}/openapi.json").json())
                (pathlib.Path(name) / "openapi.json").write_bytes(msgspec.json.encode(described))
                found = list(itertools.chain.from_iterable(run(given, pathlib.Path(name), address, one) for one in tokens))
            finally:
                server.should_exit = True
                thread.join()
    print(*found, sep="\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
