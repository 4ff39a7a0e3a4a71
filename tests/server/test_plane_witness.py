"""Another plane holds the newest state of a log, lets it only go on, and signs what does; this is its real REST, by real TLS."""

# ruff: noqa: S608 - the statements are this file's own

import base64
import datetime as dt
import ipaddress
import pathlib
from collections.abc import Iterator

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

from plane.adapters import reach
from plane.adapters.sinks import plane_witness
from plane.domain.auditing import audit
from plane.server import context
from tests.server.test_audit_tampering import forge
from tests.server.test_send import add, again, drain, status, write
from tests.support import far_ends, rest

OURS = "tenant_id = '00000000-0000-0000-0000-000000000000'"
WAY = reach.Reach((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")))


@pytest.fixture
def far(acme: rest.Tenant, tmp_path: pathlib.Path) -> Iterator[far_ends.FarEnd]:
    """The witness: a tenant's own place in a plane."""
    with far_ends.http_end(tmp_path, dt.datetime.now(dt.UTC)) as end:

        def answer(got: far_ends.Received) -> tuple[int, bytes]:
            headers = {name: got.headers[name] for name in ("authorization", "content-type")}
            found = acme.api.client.request(got.method, got.path, headers=headers, content=got.body)
            return found.status_code, found.content

        end.answer = answer
        yield end


@pytest.fixture
def log(plane: context.Plane, owner: sa.Engine, far: far_ends.FarEnd, acme: rest.Tenant) -> context.Plane:
    """The platform's log, with that witness."""
    plane = msgspec.structs.replace(plane, sinks={"plane": plane_witness.PlaneSink(WAY)}, plane_id="another-plane")
    spec: dict[str, object] = {"plane": {"url": f"https://localhost:{far.port}", "tenant": "acme", "caPem": far.ca_pem}}
    add(plane, owner, spec, {"bearer": acme.api.token})
    sent(plane, owner)
    return plane


def sent(plane: context.Plane, owner: sa.Engine) -> None:
    write(plane, owner, 3)
    again(owner)
    drain(plane)


def held(acme: rest.Tenant) -> rest.Json:
    [one] = acme.api.get("/tenants/acme/audit/witness").json()["items"]
    return dict(one)


def test_a_witness_holds_the_newest_state_and_signs_it(
    log: context.Plane, owner: sa.Engine, acme: rest.Tenant, far: far_ends.FarEnd
) -> None:
    before = held(acme)["size"]
    sent(log, owner)
    assert (status(log).behind, status(log).problem) == (0, "")
    now = held(acme)
    assert now["size"] > before
    assert now["origin"].startswith("another-plane/")
    told = acme.api.client.app.state.plane
    key = told.log_signer.keys()[0]
    body = msgspec.json.decode(far.requests[-1].body)
    again_signed = acme.api.post("/tenants/acme/audit/witness", {**body, "old": now["size"], "proof": []})
    text, _, lines = again_signed.json()["note"].partition("\n\n")
    cosigned = base64.b64decode(lines.splitlines()[-1].rpartition(" ")[2])
    assert cosigned[:4] == audit.key_id("test-plane/witness", key, kind=b"\x04")
    time = int.from_bytes(cosigned[4:12], "big")
    ed25519.Ed25519PublicKey.from_public_bytes(key).verify(cosigned[12:], f"cosignature/v1\ntime {time}\n{text}\n".encode())


def test_a_witness_does_not_follow_a_log_that_was_put_back_or_rewritten(log: context.Plane, owner: sa.Engine, acme: rest.Tenant) -> None:
    size = held(acme)["size"]
    with owner.begin() as tx:
        first = tx.execute(sa.text(f"SELECT min(size) FROM audit_checkpoints WHERE {OURS}")).scalar_one()
    forge(
        owner,
        f"DELETE FROM audit_checkpoints WHERE size > {first} AND {OURS}",
        f"DELETE FROM audit_leaves WHERE seq >= {first} AND {OURS}",
        f"DELETE FROM audit_events e WHERE {OURS} AND NOT EXISTS (SELECT FROM audit_leaves l WHERE l.event_id = e.id)",
        f"UPDATE audit_heads h SET size = {first}, "
        f"peaks = (SELECT peaks FROM audit_checkpoints c WHERE c.tenant_id = h.tenant_id AND c.size = {first}) WHERE {OURS}",
        "UPDATE sinks SET position = 0, retry_at = now()",
    )
    drain(log)
    assert "it was cut or put back" in status(log).problem
    while status(log).position + status(log).behind <= size:
        write(log, owner, 3)
    again(owner)
    drain(log)
    assert "the log was rewritten" in status(log).problem
    assert held(acme)["size"] == size


def test_a_note_that_its_key_did_not_sign_is_refused(log: context.Plane, acme: rest.Tenant, far: far_ends.FarEnd) -> None:
    body = msgspec.json.decode(far.requests[-1].body)
    forged = {**body, "note": body["note"].replace("another-plane/0", "another-plane/1", 1)}
    answer = acme.api.post("/tenants/acme/audit/witness", forged)
    assert (answer.status_code, "must be a signed note" in answer.text) == (400, True)
    root = body["note"].splitlines()[2]
    other = {**body, "note": body["note"].replace(root, base64.b64encode(bytes(32)).decode(), 1)}
    answer = acme.api.post("/tenants/acme/audit/witness", other)
    assert (answer.status_code, "signature does not hold" in answer.text) == (400, True)


def test_whoever_may_only_read_makes_no_witness_of_a_plane(log: context.Plane, acme: rest.Tenant, far: far_ends.FarEnd) -> None:
    viewer = acme.api.person("acme", "eve", "viewer")
    assert viewer.post("/tenants/acme/audit/witness", msgspec.json.decode(far.requests[-1].body)).status_code == 403
