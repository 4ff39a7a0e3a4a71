"""A change of master key on real tables."""

import os

import msgspec
import sqlalchemy as sa

from plane.adapters import envelope
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
    assert [rewrap.rewrap(plane), rewrap.rewrap(plane)] == [3, 0]
    under_new, row = envelope.Local(new), fleet.row("SELECT c.wrapped, p.fingerprint_key, c.version FROM credentials c, projects p")
    assert under_new.unwrap(bytes(row.wrapped), context=bound).reveal() == b'{"password": "canary"}'
    assert under_new.unwrap(bytes(row.fingerprint_key), context=own).reveal() == b"own"
    kept = fleet.row("SELECT wrapped FROM audit_fingerprint_keys").wrapped
    assert under_new.unwrap(bytes(kept), context=log).reveal() == b"the log's"
    assert row.version == 1
    assert fleet.row("SELECT count(*) FROM audit_events WHERE type = 'tenant.keys.rewrapped'")[0] == 1
