"""A change of master key on real tables."""

import os

import msgspec
import sqlalchemy as sa

from plane.adapters.secrets import envelope
from plane.domain.rendering import secrets
from plane.server import keys
from plane.server.delivering import rewrap
from plane.store.layout import audit_tables, tables
from tests.support import planes


def test_after_a_rewrap_the_old_master_key_is_needed_no_more(fleet: planes.Fleet) -> None:
    old, new = secrets.Secret(os.urandom(32)), secrets.Secret(os.urandom(32))
    bound = keys.wrapping_context(fleet.tenant, fleet.project, "git")
    own = keys.wrapping_context(fleet.tenant, fleet.project, keys.FINGERPRINT_KEY)
    under_old = envelope.Local(old)
    wrapped = under_old.wrap(secrets.Secret(b'{"password": "canary"}'), context=bound)
    place = {"tenant_id": fleet.tenant, "project_id": fleet.project}
    fleet.add(tables.credentials, **place, name="git", spec={"kind": "git-password"}, wrapped=wrapped)
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.projects).values(fingerprint_key=under_old.wrap(secrets.Secret(b"own"), context=own)))
        log = keys.wrapping_context(fleet.tenant, "", keys.FINGERPRINT_KEY)
        mine = under_old.wrap(secrets.Secret(b"the log's"), context=log)
        tx.execute(sa.insert(audit_tables.fingerprint_keys).values(tenant_id=fleet.tenant, wrapped=mine))
    plane = msgspec.structs.replace(fleet.plane, envelope=envelope.Local(new, older=(old,)))
    assert [rewrap.rewrap(plane).secrets, rewrap.rewrap(plane).secrets] == [3, 0]
    under_new, row = envelope.Local(new), fleet.row("SELECT c.wrapped, p.fingerprint_key, c.version FROM credentials c, projects p")
    assert under_new.unwrap(bytes(row.wrapped), context=bound).reveal() == b'{"password": "canary"}'
    assert under_new.unwrap(bytes(row.fingerprint_key), context=own).reveal() == b"own"
    kept = fleet.row("SELECT wrapped FROM audit_fingerprint_keys").wrapped
    assert under_new.unwrap(bytes(kept), context=log).reveal() == b"the log's"
    assert row.version == 1
    assert fleet.row("SELECT count(*) FROM audit_events WHERE type = 'tenant.keys.rewrapped'")[0] == 1


def test_secrets_older_than_fingerprints_get_theirs_with_a_rewrap(fleet: planes.Fleet) -> None:
    place = {"tenant_id": fleet.tenant, "project_id": fleet.project}

    def wrapped(text: bytes, project: str, name: str) -> bytes:
        return fleet.plane.envelope.wrap(secrets.Secret(text), context=keys.wrapping_context(fleet.tenant, project, name))

    held = wrapped(b'{"password": "canary", "username": "git"}', fleet.project, "git")
    fleet.add(tables.credentials, **place, name="git", spec={"kind": "git-password"}, wrapped=held)
    sink = wrapped(b'{"hmacKey": "canary"}', "", "sink/siem")
    fleet.add(tables.SINKS, tenant_id=fleet.tenant, name="siem", spec={"webhook": {"url": "https://siem.example"}}, wrapped=sink)
    fleet.add(tables.SINKS, tenant_id=fleet.tenant, name="bare", spec={"webhook": {"url": "https://siem.example"}}, wrapped=None)
    assert [rewrap.rewrap(fleet.plane).fingerprints, rewrap.rewrap(fleet.plane).fingerprints] == [2, 0]
    first = fleet.row("SELECT fingerprints, version FROM credentials")
    assert (sorted(first.fingerprints), first.version) == (["password", "username"], 1)
    sinks = fleet.row(
        "SELECT s.fingerprints AS siem, b.fingerprints AS bare FROM sinks s, sinks b WHERE s.name = 'siem' AND b.name = 'bare'"
    )
    assert ([*sinks.siem], sinks.bare) == (["hmacKey"], {})
    assert "canary" not in str(first.fingerprints)
    body = fleet.row("SELECT body FROM audit_events WHERE type = 'tenant.keys.rewrapped'").body
    assert msgspec.json.decode(body)["details"] == {"secrets": 0, "fingerprints": 2}
