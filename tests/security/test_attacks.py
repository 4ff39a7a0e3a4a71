"""A corpus of attacks over the API: fixation, replay, import, batch and enumeration, with tokens and with sessions."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
import yaml

from plane.domain.granting import web as rules
from plane.server import context
from plane.store.layout import tables
from tests.support import cases, web
from tests.support.rest import V1, Api, Json, Tenant, document

VERSION = {"apiVersion": "gitops-plane.io/v1"}


class Row(msgspec.Struct, frozen=True, rename={"callers": "as"}):
    """Every caller does everything; one is the headers of a request."""

    family: str
    callers: tuple[dict[str, str], ...]
    does: tuple[str, ...]
    want: tuple[int, ...]


ROWS = [msgspec.convert(each, Row) for each in cases.load("attacks/requests.yaml")]
ABSENT: list[str] = cases.load("attacks/absent.yaml")
FAMILIES = sorted({row.family for row in ROWS})


@pytest.fixture
def secrets(platform: Api, acme: Tenant, globex: Tenant, plane: context.Plane, owner: sa.Engine) -> dict[str, str]:
    """What the table names; `gone-…` holds no more."""
    people = {"ada": acme.api, "eve": acme.api.person("acme", "eve", "viewer")}
    platform.make("/users", document("User", "root"))
    acme.api.make("/tenants/acme/projects", document("Project", "lab"))
    acme.api.call("POST", "/tenants/acme/projects", document("Project", "once"), Idempotency_Key="used-once")
    found = {name: api.token for name, api in people.items()}
    for name, home in {"ada": "acme", "eve": "acme"}.items():
        found[f"{name}-session"] = web.session(acme.api, plane, name, tenant=home).secret
        found[f"{name}-proof"] = rules.proof(found[f"{name}-session"])
    return found | gone(acme, plane, owner)


def gone(acme: Tenant, plane: context.Plane, owner: sa.Engine) -> dict[str, str]:
    mine = "/tenants/acme/people/ada/tokens"

    def made(name: str, **more: object) -> tuple[str, str]:
        said = acme.api.make(mine, {"name": name, **more})
        return said["token"], next(one["id"] for one in acme.api.get(mine).json()["items"] if one["name"] == name)

    tokens = {name: made(name) for name in ("revoked", "rotated", "expired")}
    tokens["elsewhere"] = made("elsewhere", networks=["203.0.113.0/24"])
    acme.api.delete(f"{mine}/{tokens['revoked'][1]}")
    acme.api.post(f"{mine}/{tokens['rotated'][1]}/rotate", {"days": 9, "overlapHours": 0})
    past = {"expires_at": dt.datetime.now(dt.UTC) - dt.timedelta(days=1)}
    with owner.begin() as tx:
        tx.execute(sa.update(tables.tokens).where(tables.tokens.c.name == "expired").values(past))
    shut = acme.api.person("acme", "dan", "admin")
    ended, shut_session = web.session(acme.api, plane, "ada", tenant="acme"), web.session(acme.api, plane, "dan", tenant="acme")
    assert ended.call("POST", "/logout").status_code == 200
    acme.api.post("/tenants/acme/people/dan/disable")
    sessions = {"gone-session": ended.secret, "gone-shut-session": shut_session.secret, "gone-handle": "x" * 43}
    return {f"gone-{name}": token for name, (token, _) in tokens.items()} | {"gone-disabled": shut.token} | sessions


def filled(text: str, secrets: dict[str, str]) -> str:
    for name, value in secrets.items():
        text = text.replace(f"{{{name}}}", value)
    return text.replace(" ~", " /tenants/acme")


def requests(row: Row, secrets: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    for caller in row.callers:
        headers = {name: filled(value, secrets) for name, value in caller.items() if name != "session"}
        if who := caller.get("session"):
            headers |= web.OWN | {"Cookie": f"__Host-plane-session={secrets[f'{who}-session']}", rules.HEADER: secrets[f"{who}-proof"]}
        for does in row.does:
            method, path, *sent = filled(does, secrets).split(" ", 2)
            yield method, path, headers | {"Content-Type": "application/json"}, body(sent[0] if sent else "", method)


def body(text: str, method: str) -> bytes:
    """YAML's short form of a document, JSON, or what follows `raw:` as it is; a harmless document where nothing is said."""
    if text.startswith("raw:"):
        return text.removeprefix("raw:").encode()
    if not text:
        return json.dumps(document("Project", "planted")).encode() if method == "POST" else b""
    said: Any = yaml.safe_load(text)
    return json.dumps(VERSION | said if isinstance(said, dict) and "kind" in said else said).encode()


def state(acme: Tenant, platform: Api) -> list[Json]:
    """What an attack could have changed."""
    both = ("users", "rolebindings", "identityproviders", "workloadtrusts", "clusters")
    places = [f"/tenants/acme/{kind}" for kind in ("projects", "people", "roles", *both)]
    kinds = ("tenants", "resourcerules", "policies", "tenants/globex/projects", *both)
    return [acme.api.get(place).json() for place in places] + [platform.get(f"/{kind}").json() for kind in kinds]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_attack_of_the_family_gets_through(family: str, platform: Api, acme: Tenant, secrets: dict[str, str]) -> None:
    client, before, wrong, tried = platform.client, state(acme, platform), [], 0
    for row in (each for each in ROWS if each.family == family):
        for method, path, headers, sent in requests(row, secrets):
            client.cookies.clear()
            answer = client.request(method, V1 + path, headers=headers, content=sent, follow_redirects=False)
            tried += 1
            if answer.status_code not in row.want:
                wrong.append((method, path, headers, sent, answer.status_code, answer.text[:200]))
    client.cookies.clear()
    assert wrong == []
    assert state(acme, platform) == before
    assert tried >= len(FAMILIES)


@pytest.mark.parametrize("with_session", [False, True], ids=["token", "session"])
def test_an_outsider_cannot_tell_a_tenant_from_none(
    *, with_session: bool, platform: Api, acme: Tenant, globex: Tenant, plane: context.Plane
) -> None:
    browser = web.session(globex.api, plane, "ada", tenant="globex")
    issuer = {"issuer": "https://login.example", "clientId": "plane"}
    acme.api.make("/tenants/acme/identityproviders", document("IdentityProvider", "okta", issuer))
    wrong = []
    for row in ABSENT:
        method, path, *said = row.split(" ", 2)
        sent = yaml.safe_load(said[0]) if said else None
        ask = browser.call if with_session else globex.api.call
        theirs, none = (ask(method, path.replace("{}", tenant), sent) for tenant in ("acme", "none"))
        told = [{name: value for name, value in one.json().items() if name != "instance"} for one in (theirs, none)]
        if (theirs.status_code, json.dumps(told[0]).replace("acme", "none")) != (404, json.dumps(told[1])) or none.status_code != 404:
            wrong.append((row, theirs.status_code, none.status_code, told))
    assert wrong == []


def test_the_corpus_holds_its_size() -> None:
    """What docs/security.md says of it."""
    counted = {family: sum(len(row.callers) * len(row.does) for row in ROWS if row.family == family) for family in FAMILIES}
    counted["enumeration"] = 2 * len(ABSENT)
    tables_ = {"forged tokens": "jose/forged.yaml", "browsers' requests": "web/asked.yaml", "escalation": "access/escalation.yaml"}
    counted |= {name: len(cases.load(file)) for name, file in tables_.items()}
    page = (cases.ROOT.parents[1] / "docs" / "security.md").read_text()
    assert [name for name, count in counted.items() if f"| {name} | {count} |" not in page] == [], counted
