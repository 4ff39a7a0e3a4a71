"""OPA bundles over the API: what becomes of them, and who has to have signed them."""

import base64
import json
import pathlib
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plane.server import context
from tests.support import opa_bundles
from tests.support.rest import Api, Tenant, document

SETS = "/tenants/acme/policies"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> opa_bundles.Signer:
    return opa_bundles.Signer(tmp_path_factory.mktemp("key"), "ES256")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return opa_bundles.built(opa_bundles.folder(tmp_path_factory.mktemp("built") / "set", opa_bundles.FILES))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, signer: opa_bundles.Signer) -> bytes:
    return opa_bundles.built(opa_bundles.folder(tmp_path_factory.mktemp("signed") / "set", opa_bundles.FILES), signer)


def wish(packed: bytes, **spec: object) -> Json:
    return document("PolicySet", "house", spec, bundle=base64.b64encode(packed).decode())


def trust(platform: Api, signer: opa_bundles.Signer) -> None:
    key = {"name": "ci", "algorithm": signer.algorithm, "publicKey": signer.public}
    put = platform.put("/tenants/acme", document("Tenant", "acme", {"policyKeys": [key]}))
    assert put.status_code == 200, put.text


def test_a_bundle_becomes_a_set_of_its_files(acme: Tenant, built: bytes, owner: sa.Engine) -> None:
    made = acme.api.make(SETS, wish(built))
    assert sorted(made["files"]) == ["data.json", "set/owners.rego", "set/owners_test.rego"]
    assert "bundle" not in made
    origin = made["status"]["origin"]
    assert (origin["kind"], origin["revision"], origin["metadata"], "signedBy" in origin) == ("bundle", "r7", {"team": "shop"}, False)
    with owner.begin() as tx:
        told = tx.exec_driver_sql("SELECT body FROM audit_events WHERE type = 'policy.created'").scalar_one()
    assert sorted(json.loads(told)["details"]["after"]["files"]) == sorted(made["files"])


def test_a_set_that_is_written_as_it_was_read_keeps_its_origin(acme: Tenant, built: bytes) -> None:
    made = acme.api.make(SETS, wish(built))
    again = acme.api.put(f"{SETS}/house", {field: value for field, value in made.items() if field != "status"}).json()
    assert again["status"] == made["status"]
    other = acme.api.put(f"{SETS}/house", document("PolicySet", "house", files={"own.rego": opa_bundles.RULE})).json()
    assert other["status"]["origin"] is None


def test_where_keys_are_named_only_what_they_signed_is_taken(
    acme: Tenant, platform: Api, built: bytes, signed: bytes, signer: opa_bundles.Signer, tmp_path: pathlib.Path
) -> None:
    trust(platform, signer)
    stranger = opa_bundles.built(opa_bundles.folder(tmp_path / "set", opa_bundles.FILES), opa_bundles.Signer(tmp_path, "ES256"))
    for packed, problem in (
        (built, "carries no signature (.signatures.json)"),
        (stranger, "is signed by none of the keys that are trusted here (tenant/ci)"),
    ):
        refused = acme.api.post(SETS, wish(packed))
        assert refused.status_code == 400
        assert refused.json()["problems"]["bundle"].startswith(problem)
    inline = acme.api.post(SETS, document("PolicySet", "house", files={"own.rego": opa_bundles.RULE}))
    assert inline.json()["problems"]["bundle"].startswith("was not signed: only bundles are")
    assert acme.api.make(SETS, wish(signed))["status"]["origin"]["signedBy"] == "tenant/ci"


def test_keys_that_come_later_leave_what_is_there(acme: Tenant, platform: Api, built: bytes, signer: opa_bundles.Signer) -> None:
    made = acme.api.make(SETS, wish(built))
    trust(platform, signer)
    kept = {field: value for field, value in made.items() if field != "status"} | {"spec": {"mode": "warn"}}
    assert acme.api.put(f"{SETS}/house", kept).json()["spec"]["mode"] == "warn"


def test_the_platforms_keys_bind_the_platforms_sets(
    acme: Tenant, platform: Api, plane: context.Plane, built: bytes, signed: bytes, signer: opa_bundles.Signer
) -> None:
    trusting = msgspec.structs.replace(plane, policy_keys=(signer.trusted(),))
    platform.client.app.state.plane = trusting
    assert platform.post("/policies", wish(built)).status_code == 400
    assert platform.make("/policies", wish(signed))["status"]["origin"]["signedBy"] == "tenant/ES256"
    assert "signedBy" not in acme.api.make(SETS, wish(built))["status"]["origin"]


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"bundle": "AAAA"}, "bundle", "is no gzipped tar archive"),
        ({"bundle": "AAAA", "files": {"own.rego": "x"}}, "bundle", "a policy set has files or comes as a bundle; send one of the two"),
        ({"bundle": "A"}, "bundle", "invalid base64 encoded string"),
    ],
)
def test_what_is_no_bundle_is_refused(acme: Tenant, body: Json, field: str, rule: str) -> None:
    refused = acme.api.post(SETS, document("PolicySet", "house", **body))
    assert (refused.status_code, refused.json()["problems"][field].startswith(rule)) == (400, True), refused.text


def test_a_set_whose_tests_fail_is_refused_also_where_its_rules_are_as_before(acme: Tenant) -> None:
    files = {"own.rego": opa_bundles.RULE, "data.json": '{"owned": {"kinds": ["Pod"]}}', "own_test.rego": opa_bundles.TEST}
    made = acme.api.make(SETS, document("PolicySet", "house", files=files))
    assert made["files"] == files
    wrong = acme.api.put(
        f"{SETS}/house", document("PolicySet", "house", files=files | {"own_test.rego": "package t\n\ntest_x if 1 == 2\n"})
    )
    assert (wrong.status_code, wrong.json()["problems"]) == (422, ["own_test.rego:3: t.test_x: failed"])


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ({"name": "a b", "publicKey": "x"}, "spec.policyKeys[0].name"),
        ({"name": "ci", "publicKey": "-----BEGIN PRIVATE KEY-----"}, "spec.policyKeys[0].publicKey"),
        ({"name": "ci", "publicKey": "x", "algorithm": "HS256"}, "spec.policyKeys[0].algorithm"),
    ],
)
def test_a_key_that_verifies_nothing_is_refused(platform: Api, acme: Tenant, key: Json, field: str) -> None:
    refused = platform.put(f"/tenants/{acme.name}", document("Tenant", acme.name, {"policyKeys": [key]}))
    assert (refused.status_code, field in refused.json()["problems"]) == (400, True), refused.text
