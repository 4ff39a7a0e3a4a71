"""A tenant, and a platform, that have one of everything: `web` as it is made, `held` in the state that orders want."""

import re
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

from plane.api.examples import EXAMPLES
from plane.domain.auditing import audit
from plane.domain.deciding import decide
from plane.server import bootstrap, context
from plane.store.layout import tables
from plane.wire import login
from tests.api.test_policy_places import DAY, RULE, ahead
from tests.api.test_tenancy import ID, fill, fit
from tests.support.joining import enrol
from tests.support.rest import Api, Json, Tenant, app_document, document

OF_CLIENT = {"clientSecret": "not for the log"}
REASON = {"reason": "The shop is down"}
MANIFEST = "YXBpVmVyc2lvbjogdjEKa2luZDogQ29uZmlnTWFwCm1ldGFkYXRhOiB7bmFtZTogd2VifQo="  # a ConfigMap in base64
LOCAL: Json = {"files": {"web.yaml": MANIFEST}}
BODIES: dict[str, Json] = {  # examples that stand on nothing else, by kind
    "App": app_document("web"),
    "PolicySet": document("PolicySet", "web", {"mode": "off"}, files={"rule.rego": RULE}),
    "PolicyBinding": document("PolicyBinding", "web", {"policySet": "house", "mode": "warn"}),
    "Waiver": document("Waiver", "web", {"policy": "house", "rule": "W01", "reason": "for now", "expiresAt": ahead(DAY)}),
    "Repository": document("Repository", "web", {"url": "https://git.example/x/y"}),
    "RoleBinding": document("RoleBinding", "web", {"role": "viewer", "project": "shop", "subjects": [{"name": "ada"}]}),
}
PLATFORM: dict[str, Json] = {
    "RoleBinding": document("RoleBinding", "web", {"role": "platform-admin", "subjects": [{"name": "admin"}]}),
}
EXTRA = {
    "/people/{person}/roles": {"role": "platform-auditor"},
    "sync-local": LOCAL,
    "diff-local": LOCAL,
    "replay": {"position": 0},
    "previews": {"binding": {"policySet": "web"}},
}  # bodies by a path's end


class Stock(msgspec.Struct, frozen=True):
    """What is there, by the ids that only the plane gives."""

    tokens: dict[str, str]  # of the person `web`: by tenant, the platform's by ""
    sessions: dict[str, str]  # the same, and by "own" the platform admin's
    approval: str

    def path(self, template: str, name: str) -> str:
        """Of the thing of that name, and of what is above it."""
        if template == "/tenants/{tenant}":
            return f"/tenants/{name}"
        if template.endswith("{project}"):
            return f"/tenants/acme/projects/{name}"
        if template.endswith("{project}/hold"):
            return f"/tenants/acme/projects/{'held' if name == 'held' else 'shop'}/hold"
        tenant = "acme" if "{tenant}" in template else ""
        path = re.sub("role=viewer$", "role=platform-admin", fill(template, "acme", name)) if not tenant else fill(template, "acme", name)
        session = self.sessions["own" if template == "/sessions/{session}" else tenant]
        return path.replace(ID, self.approval if "{approval}" in template else session if "{session}" in template else self.tokens[tenant])


def names(template: str) -> list[str]:
    """What is there and what is not, as far as it makes a difference."""
    return ["web", "new", "held", *(["fresh"] if "glass" in template else ["own"] if "/clusters" in template else [])]


def body(template: str, example: Any, name: str) -> object:  # noqa: ANN401 - plain JSON
    """An example that agrees with its path and with what is there, and differs from it."""
    if extra := next((made for end, made in EXTRA.items() if template == end or template.endswith(f"/{end}")), None):
        return extra
    if "witness" in template:
        return note()
    if not isinstance(example, dict) or "metadata" not in example:
        return example
    kind = example["kind"]
    own = BODIES.get(kind, example) if "{tenant}" in template else PLATFORM.get(kind, BODIES.get(kind, example))
    if kind == "Repository":
        own = document("Repository", name, {"url": f"https://git.example/acme/{name}-again"})
    made = fit(own, name)
    assert isinstance(made, dict)
    return made | {"metadata": {"name": name, "labels": {"tier": "front"}}}


def note() -> Json:
    """A signed state of a log that nobody watched before."""
    key, origin = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), "elsewhere/acme"
    public = key.public_key().public_bytes_raw()
    point = audit.Checkpoint(origin, 1, "11" * 32, "2026-01-01T00:00:00Z", key=audit.b64(public))
    signed = msgspec.structs.replace(point, signature=audit.b64(key.sign(point.text())))
    return {"key": audit.verifier_key(origin, public), "note": signed.note(), "old": 0, "proof": []}


def fill_up(platform: Api, acme: Tenant, owner: sa.Engine) -> Stock:
    """Make it all."""
    for name in ("web", "held"):
        platform.make("/tenants", document("Tenant", name))
        acme.api.make("/tenants/acme/projects", document("Project", name))
        acme.api.make(f"{acme.shop}/apps", app_document(name))
        platform.make("/clusters", document("Cluster", name))
    acme.api.make("/tenants/acme/clusters", document("Cluster", "own"))
    for joined in ("/clusters/web", "/clusters/east", "/tenants/acme/clusters/own"):
        caller = acme.api if "tenants" in joined else platform
        enrol(platform.client, caller.post(f"{joined}/join").json()["token"])
    _documents(platform, "", PLATFORM)
    _documents(acme.api, "/tenants/acme", {})
    _in_project(acme)
    acme.api.put("/tenants/acme/projects/held/hold", REASON)
    acme.api.put(f"{acme.shop}/apps/held/hold", REASON)
    _states(owner)
    owners = {"": (platform, "/people/web"), "acme": (acme.api, "/tenants/acme/people/web"), "own": (platform, "/people/admin")}
    sessions = {of: _token(api, person, "browser") for of, (api, person) in owners.items()}
    with owner.begin() as tx:
        tx.execute(sa.update(tables.tokens).where(tables.tokens.c.name == "browser").values(idle_s=3600))
    tokens = {of: _token(*owners[of], "laptop") for of in ("", "acme")}
    plane: context.Plane = platform.client.app.state.plane
    bootstrap.password(plane.engine, plane.clock, plane.passwords.hashed(EXAMPLES[login.Local]["password"]))
    return Stock(tokens, sessions, _approval(platform, acme, owner))


def _documents(api: Api, above: str, own: dict[str, Json]) -> None:
    examples = {
        "users": document("User", "web"),
        "policies": {**BODIES["PolicySet"], "metadata": {"name": "house"}},
        "policybindings": BODIES["PolicyBinding"],
        "healthchecks": document("HealthCheck", "web", {"group": "x.example", "kind": "Widget", "cel": {"current": "true"}}),
        "sinks": document("Sink", "web", {"webhook": {"url": "https://siem.example/e"}}, data={"hmacKey": "sixteen letters and more"}),
        "identityproviders": document("IdentityProvider", "web", {"issuer": "https://127.0.0.1:9", "clientId": "plane"}, data=OF_CLIENT),
        "rolebindings": own.get("RoleBinding", BODIES["RoleBinding"]),
    }
    for plural, example in examples.items():
        api.make(f"{above}/{plural}", example)
    api.make(f"{above}/users", document("User", "ci", {"type": "service"}))
    job = {"issuer": "https://127.0.0.1:9", "audience": "plane", "claims": {"repository_id": "1"}, "service": "ci"}
    api.make(f"{above}/workloadtrusts", document("WorkloadTrust", "web", job))
    api.make(f"{above}/policies", {**BODIES["PolicySet"], "metadata": {"name": "web"}})
    api.make(f"{above}/previews", EXTRA["previews"])
    binding = examples["rolebindings"]
    for name in ("fresh", "held"):
        glass = binding | {"metadata": {"name": name}, "spec": binding["spec"] | {"breakGlass": True}}
        api.make(f"{above}/rolebindings", glass)
    api.make(f"{above}/rolebindings/held/glass", REASON)
    api.make(f"{above}/people/web/roles", {"role": "viewer" if above else "platform-admin"})
    if above:
        api.make(f"{above}/roles", document("Role", "web", {"permissions": ["app:get"]}))
    else:
        api.make("/resourcerules", document("ResourceRule", "web", {"exclusions": [{"kinds": ["Widget"]}]}))


def _in_project(acme: Tenant) -> None:
    acme.api.make(f"{acme.shop}/repositories", document("Repository", "web", {"url": "https://git.example/acme/web"}))
    secret = document("Credential", "web", {"kind": "git-password", "username": "plane"}, data={"password": "not for the log"})
    acme.api.make(f"{acme.shop}/credentials", secret)
    acme.api.make(f"{acme.shop}/policybindings", BODIES["PolicyBinding"])
    check = document("HealthCheck", "web", {"group": "y.example", "kind": "Widget", "cel": {"current": "true"}})
    acme.api.make(f"{acme.shop}/healthchecks", check)
    acme.api.person("acme", "bob", "maintainer").make(f"{acme.shop}/waivers", BODIES["Waiver"])


def _token(api: Api, person: str, name: str) -> str:
    api.make(f"{person}/tokens", {"name": name})
    return next(str(one["id"]) for one in api.get(f"{person}/tokens").json()["items"] if one["name"] == name)


def _approval(platform: Api, acme: Tenant, owner: sa.Engine) -> str:
    """Bob asked for what two have to want, logged in by himself; the tenant wants it of nobody any more."""
    bob = acme.api.with_token(acme.api.make("/tenants/acme/people/bob/tokens", {"name": "asking"})["token"])
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:delete"]}))
    asked = bob.delete(f"{acme.shop}/apps/web").json()
    platform.put("/tenants/acme", document("Tenant", "acme"))
    with owner.begin() as tx:
        tx.execute(sa.update(tables.approvals).values(makers=[]))
    return str(asked["approval"])


def _states(owner: sa.Engine) -> None:
    """App `web` was synced seven times; `held` waits for an approval, and somebody asked for another sync. Policy `web` lies in Git."""
    attempt = decide.Attempt("sha256:00", 1, outcome="failed", needs_approval=("ConfigMap shop/web",))
    with owner.begin() as tx:
        kept = tables.policy_sets.c
        tx.execute(sa.update(tables.policy_sets).where(kept.name == "web").values(source_url="https://git.example/acme/web"))
        apps = {row.name: row for row in tx.execute(sa.select(tables.apps))}
        for row in apps.values():
            place = {"tenant_id": row.tenant_id, "app_id": row.id, "project_id": row.project_id}
            state = sa.update(tables.app_states).where(tables.app_states.c.app_id == row.id)
            if not tx.execute(state.values(digest="sha256:00")).rowcount:
                tx.execute(sa.insert(tables.app_states).values(place | {"digest": "sha256:00"}))
        held = apps["held"].id
        tx.execute(sa.update(tables.app_states).where(tables.app_states.c.app_id == held).values(attempt=msgspec.to_builtins(attempt)))
        request = msgspec.to_builtins(decide.Request(actor="ada"))
        tx.execute(sa.update(tables.apps).where(tables.apps.c.id == held).values(request=request))
        web = {
            "tenant_id": apps["web"].tenant_id,
            "app_id": apps["web"].id,
            "task_id": ID,
            "started_at": sa.func.now(),
            "finished_at": sa.func.now(),
        }
        words = {"number": 7, "digest": "sha256:00", "commit": "c", "actor": "ada", "trigger": "manual"}
        tx.execute(sa.insert(tables.history).values(web | words))
