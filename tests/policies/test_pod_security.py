"""Pods are judged as Kubernetes' own admission controller judges them: its answers, for every version, are a table."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from plane import config
from plane.adapters.judging import opa, opa_files
from plane.domain.judging import library, policy

CASES = pathlib.Path(__file__).parents[1] / "cases/pod_security"
VERSIONS = (*(f"v1.{minor}" for minor in range(25, 37)), "latest")
SHIPPED = opa_files.shipped()
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")

# What the controller says → the rules that say the same.
RULES = {
    "allowPrivilegeEscalation != false": {"W07"},
    "forbidden AppArmor profile": {"W10"},
    "forbidden AppArmor profiles": {"W10"},
    "forbidden sysctls": {"W10"},
    "host namespaces": {"W02"},
    "hostPath volumes": {"W03"},
    "hostPort": {"W04"},
    "hostProcess": {"W10"},
    "non-default capabilities": {"W05"},
    "privileged": {"W01"},
    "probe or lifecycle host": {"W12"},
    "procMount": {"W10"},
    "restricted volume types": {"W11"},
    "runAsNonRoot != true": {"W08"},
    "runAsUser=0": {"W08"},
    "seLinuxOptions": {"W10"},
    "unrestricted capabilities": {"W06"},
}
SECCOMP = {"baseline": {"W09"}, "restricted": {"W09-unset"}}


class Case(msgspec.Struct, frozen=True):
    """`forbidden`: level → version → reasons, from each version on that decides otherwise than the one before."""

    pod: dict[str, Any]
    forbidden: dict[str, dict[str, str]]


def cases(name: str) -> list[Case]:
    return [msgspec.json.decode(line, type=Case) for line in (CASES / f"{name}.jsonl").read_bytes().splitlines()]


ALL = [*cases("fixtures"), *cases("made")]


def expected(case: Case, level: str, version: str) -> set[str]:
    rows = case.forbidden[level]
    since = [one for one in VERSIONS[: VERSIONS.index(version) + 1] if one in rows]
    reasons = rows[since[-1]].split("; ") if rows[since[-1]] else []
    return set().union(*(SECCOMP[level] if reason == "seccompProfile" else RULES[reason] for reason in reasons))


CHANGED = [case for case in ALL if any(len(rows) > 1 for rows in case.forbidden.values())]


@pytest.fixture(scope="module")
def engine() -> Iterator[opa.Opa]:
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=60)) as found:
        yield found


def rules(engine: opa.Opa, several: list[Case], level: str, version: str) -> list[set[str]]:
    manifests = tuple(
        {"apiVersion": "v1", "kind": "Pod", **case.pod, "metadata": {**case.pod["metadata"], "name": f"p{number}"}}
        for number, case in enumerate(several)
    )
    bound = library.binding(f"pss-{level}", SHIPPED.profiles, SHIPPED.texts, version=version)
    found: dict[str, set[str]] = {f"Pod p{number}": set() for number in range(len(several))}
    for one in engine.violations(bound.policy, policy.PolicyInput(manifests, CONTEXT, bound.parameters)):
        found[one.object].add(one.rule)
    return list(found.values())


@pytest.mark.parametrize(("level", "version"), [("baseline", "latest"), ("restricted", "v1.25"), ("restricted", "latest")])
def test_a_pod_is_allowed_where_kubernetes_allows_it_and_refused_for_the_same_reasons(engine: opa.Opa, level: str, version: str) -> None:
    assert rules(engine, ALL, level, version) == [expected(case, level, version) for case in ALL]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_what_kubernetes_decides_otherwise_since_a_version_is_decided_otherwise_since_it(engine: opa.Opa, level: str, version: str) -> None:
    assert rules(engine, CHANGED, level, version) == [expected(case, level, version) for case in CHANGED]
