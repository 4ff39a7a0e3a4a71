"""SOPS files that charts and kustomizations read: the agent gets the values sealed, and nothing else shows them."""

import base64
import os

import msgspec
import pytest

from plane.adapters.secrets import sealing
from plane.domain import objects
from plane.domain.rendering import secrets as domain
from plane.run.devgit import DevGit
from plane.server import keys
from plane.store.layout import tables
from plane.wire import bundle
from tests.support import age, planes

KEY = age.new()
CANARY = "canary-of-inputs"
CHART = b"apiVersion: v2\nname: web\nversion: 1.0.0\n"
TEMPLATE = b"""apiVersion: v1
kind: Secret
metadata: {name: db, annotations: {checksum/values: "{{ .Values.db.password | sha256sum }}"}}
data: {url: "{{ printf "postgres://shop:%s@db" .Values.db.password | b64enc }}"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
data: {user: "{{ .Values.db.user }}"}
"""
EVERYTHING = ("--encrypted-suffix=password",)


def encrypted(text: str, *, name: str = "values.yaml", options: tuple[str, ...] = EVERYTHING) -> bytes:
    """As a user commits it."""
    return age.encrypt(text, KEY.recipient, options=options, name=name)


def given(fleet: planes.Fleet, devgit: DevGit, files: dict[str, bytes], **source: object) -> dict[str, str]:
    """Secret values that the agent opens, by object and field."""
    name = f"inputs-{os.urandom(4).hex()}"
    url = devgit.create(name, {f"web/{path}": text for path, text in files.items()})
    bound = keys.wrapping_context(fleet.tenant, fleet.project, "age")
    wrapped = fleet.plane.envelope.wrap(domain.Secret(msgspec.json.encode({"identity": KEY.identity})), context=bound)
    fleet.add(tables.credentials, tenant_id=fleet.tenant, project_id=fleet.project, name="age", spec={"kind": "sops-age"}, wrapped=wrapped)
    fleet.app("web", fleet.repository(devgit, name), url, source={"repoURL": url, "path": "web", "targetRevision": "main", **source})
    fleet.work()
    [(task, release)] = fleet.claim()
    assert release is not None
    assert CANARY.encode() not in b"".join(bundle.unpack(task.release, release.body))
    found = {}
    for value in release.sealed:
        key = objects.ObjectKey(value.key.group, value.key.kind, value.key.namespace, value.key.name)
        place = domain.Place(key, value.pointer)
        bound = domain.sealing_context(cluster=fleet.cluster, app=task.app_id, release=task.release, place=place)
        clear = sealing.open_sealed(fleet.sealing.private, value.ciphertext, bound).reveal()
        found[f"{key.name}{value.pointer}"] = base64.b64decode(clear).decode()
    return found


def test_a_charts_encrypted_values_reach_the_agent_only(fleet: planes.Fleet, devgit: DevGit) -> None:
    values = encrypted(f"db:\n  user: shop\n  password: {CANARY}\n")
    files = {"Chart.yaml": CHART, "templates/a.yaml": TEMPLATE, "secrets.yaml": values}
    assert given(fleet, devgit, files, helm={"valueFiles": ["secrets.yaml"]}) == {"db/data/url": f"postgres://shop:{CANARY}@db"}


def test_a_kustomization_generates_secrets_from_encrypted_files(fleet: planes.Fleet, devgit: DevGit) -> None:
    generator = b"secretGenerator:\n- {name: app, files: [app.yaml, tls.key], envs: [app.env]}\n"
    files = {
        "kustomization.yaml": generator + b"resources: [own.yaml]\nnamePrefix: p-\n",
        "app.yaml": encrypted(f"db: {{password: '{CANARY}'}}\n"),
        "tls.key": encrypted(f"-----{CANARY}-----\n", name="tls.key", options=()),
        "app.env": encrypted(f"USER=shop\nTOKEN={CANARY}\n", name="app.env", options=()),
        "own.yaml": encrypted(
            f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: own\nstringData:\n  a: {CANARY}\n",
            options=("--encrypted-regex=^(data|stringData)$",),
        ),
    }
    found = given(fleet, devgit, files)
    hashed = next(name.partition("/")[0] for name in found if name.startswith("p-app-"))
    assert found == {
        f"{hashed}/data/app.yaml": f"db:\n    password: {CANARY}\n",
        f"{hashed}/data/tls.key": f"-----{CANARY}-----\n",
        f"{hashed}/data/USER": "shop",
        f"{hashed}/data/TOKEN": CANARY,
        "p-own/data/a": CANARY,
    }


@pytest.mark.parametrize(
    ("template", "sentence"),
    [(b"| b64enc }}", ""), (b"| upper | b64enc }}", "a template changes a secret value of a SOPS file")],
    ids=["whole", "changed"],
)
def test_a_template_that_changes_a_secret_is_told(fleet: planes.Fleet, devgit: DevGit, template: bytes, sentence: str) -> None:
    body = b'apiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata: {p: "{{ .Values.password ' + template + b'"}\n'
    files = {"Chart.yaml": CHART, "templates/a.yaml": body, "secrets.yaml": encrypted(f"password: {CANARY}\n")}
    helm = {"valueFiles": ["secrets.yaml"]}
    if not sentence:
        assert given(fleet, devgit, files, helm=helm) == {"db/data/p": CANARY}
        return
    with pytest.raises(ValueError, match="not enough values to unpack"):
        given(fleet, devgit, files, helm=helm)
    told = fleet.row("SELECT problem FROM app_states").problem["sentence"]
    assert (sentence in told, CANARY in told) == (True, False)
