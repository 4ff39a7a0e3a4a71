"""Attempts to hold more than one was given: by bindings, roles, users, tokens, names and other people's documents."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from plane.cli.importing import projects as importing
from plane.cli.importing import rbac
from plane.domain import objects
from plane.domain.granting import argo_policy
from tests.api.test_access import login, user
from tests.support import cases
from tests.support.rest import Api, Json, Tenant, app_document, document

ACME = "/tenants/acme"
PEOPLE: dict[str, Json] = {
    "eve": {"role": "viewer"},
    "bob": {"role": "maintainer"},
    "hr": {"role": "hr"},
    "lead": {"role": "tenant-owner", "project": "shop"},
    "one": {"role": "tenant-owner", "project": "shop", "app": "web"},
    "prod": {"role": "tenant-owner", "clusterLabels": {"env": "prod"}},
    "temp": {"role": "tenant-owner", "until": "2999-01-01T00:00:00Z"},
    "fresh": {"role": "tenant-owner", "freshLoginMinutes": 60},
    "glass": {"role": "tenant-owner", "breakGlass": True},
}
HR = ["access:get", "access:create", "access:update", "access:delete", "tenant:get", "project:get"]


class Attempt(msgspec.Struct, frozen=True):
    """Who does what to what; `kind`, `name` and `spec` make a document, `body` is sent as it is."""

    who: str
    does: str
    kind: str = ""
    name: str = "x"
    spec: dict[str, Any] = {}
    meta: dict[str, str] = {}
    body: dict[str, Any] | None = None
    refused: tuple[int, ...] = (403,)

    @property
    def sent(self) -> Json | None:
        if not self.kind:
            return self.body
        made = document(self.kind, self.name, self.spec)
        return made | {"metadata": made["metadata"] | self.meta} | (self.body or {})


ATTEMPTS = [msgspec.convert(each, Attempt) for each in cases.load("access/escalation.yaml")]
POLICY = """
p, role:lift, *, *, */*, allow
p, role:lift, projects, *, *, allow
p, role:tenant-owner, applications, *, shop/*, allow
p, eve, applications, sync, shop/web, allow
g, eve, role:lift
g, hr, role:admin
g, devs, role:admin
g, zoe, role:tenant-owner
"""
PROJECT: Json = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "shop", "namespace": "globex"},
    "spec": {"sourceRepos": ["*"], "destinations": [{"name": "*", "namespace": "*"}]},
}


def imported() -> Iterator[Attempt]:
    """Files of Argo CD's, made to lift whoever applies what becomes of them; for the tenant, and as if for another one."""
    for tenant, refused in (("acme", (400, 403)), ("globex", (400,))):
        made = rbac.Import(argo_policy.read(POLICY, file="policy.csv"), tenant=tenant, users=frozenset({"eve", "hr"})).made()
        found = importing.imported([(objects.Position("project.yaml", 1), PROJECT)], {}, tenant=tenant)
        listed = [*(("roles", one) for one in made.roles), *(("rolebindings", one) for one in made.bindings)]
        for plural, one in (*listed, *(("projects", each.document) for each in found)):
            path, body = f"PUT ~/{plural}/{one.metadata.name}", msgspec.json.decode(msgspec.json.encode(one))
            yield from (Attempt(who, path, body=body, refused=refused) for who in ("eve", "bob", "hr", "lead"))


@pytest.fixture
def crowd(acme: Tenant, globex: Tenant, platform: Api) -> dict[str, Api]:
    """Everybody with a token; beside them the tenant's owner ada, one of globex, and a project that nobody of these has."""
    acme.api.make(f"{ACME}/projects", document("Project", "lab"))
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    acme.api.make(f"{ACME}/roles", document("Role", "hr", {"permissions": HR}))
    acme.api.make(
        f"{ACME}/rolebindings", document("RoleBinding", "devs", {"role": "maintainer", "subjects": [{"kind": "Group", "name": "devs"}]})
    )
    found = {"globex": globex.api}
    for name, spec in PEOPLE.items():
        acme.api.make(f"{ACME}/users", user(name))
        acme.api.make(f"{ACME}/rolebindings", document("RoleBinding", name, spec | {"subjects": [{"name": name}]}))
        found[name] = login(acme, name)
    platform.make("/users", user("root"))
    return found


def everything(acme: Tenant) -> list[Json]:
    """Who holds what, and what roles hold."""
    return [acme.api.get(f"{ACME}/{kind}?limit=500").json() for kind in ("people", "users", "roles", "rolebindings")]


def test_nobody_holds_more_after_any_attempt(acme: Tenant, crowd: dict[str, Api]) -> None:
    before, wrong = everything(acme), []
    for attempt in (*ATTEMPTS, *imported()):
        method, path = attempt.does.split(" ")
        answer = crowd[attempt.who].call(method, path.replace("~", ACME), attempt.sent)
        if answer.status_code not in attempt.refused:
            wrong.append((attempt, answer.status_code, answer.text[:200]))
    assert wrong == []
    assert everything(acme) == before


def test_there_are_attempts_enough() -> None:
    tables = [cases.load(f"access/{name}.yaml") for name in ("allows", "gives", "escalation")]
    assert sum(map(len, tables)) >= 170
