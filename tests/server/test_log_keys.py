"""The log's key changes with an overlap: the old one signs until the log has told of the new one, wherever they lie."""

import pathlib

import msgspec
import pytest
import sqlalchemy as sa

from plane import ports
from plane.adapters.secrets import vault as adapter
from plane.adapters.trusting import log_keys, signer
from plane.domain import access, errors
from plane.domain.auditing import audit
from plane.server import context
from plane.store import engine
from plane.store.auditing import audit_reading
from tests.server.test_audit_tampering import exported
from tests.server.test_retention import write
from tests.support import planes, verifying
from tests.support import vault as support

RULES = 'path "transit/sign/log" { capabilities = ["update"] } path "transit/keys/log" { capabilities = ["read"] }'


def made(folder: pathlib.Path, name: str) -> signer.FileSigner:
    signer.create(folder / name)
    return signer.FileSigner(folder / name)


def signed_with(plane: context.Plane) -> list[bytes]:
    """The keys of the signed states, in order, each once."""
    with engine.begin(plane.engine, access.Scope(access.PLATFORM_TENANT, access.SYSTEM)) as tx:
        points = audit_reading.checkpoints(tx, access.PLATFORM_TENANT, above=0, end=10_000, limit=1000)
    return list(dict.fromkeys(audit.unb64(point.key) for point in points))


def test_the_old_key_signs_the_event_that_tells_of_the_new_one(plane: context.Plane, owner: sa.Engine, tmp_path: pathlib.Path) -> None:
    old, new = made(tmp_path, "old.pem"), made(tmp_path, "new.pem")
    for signers in ([old], [new, old], [new]):
        rotated = msgspec.structs.replace(plane, log_signer=log_keys.Files(signers))
        for _ in range(2):
            write(rotated, owner, 2)
    assert signed_with(plane) == [old.public_key(), new.public_key()]
    lines = exported(msgspec.structs.replace(plane, log_signer=log_keys.Files([new])))
    told = next(n for n, line in enumerate(lines) if '"type":"audit.key.changed"' in line)
    after = next(line for line in lines[told:] if line.startswith('{"checkpoint"'))
    assert audit.b64(old.public_key()) in after
    assert sum("audit.key.changed" in line for line in lines) == 1
    found = verifying.verified(lines)
    assert (found.findings, len(found.keys)) == ([], 2)
    keys = [audit.verifier_key(found.state["origin"], key.public_key()) for key in (old, new)]
    assert verifying.verified(lines, keys[:1]).findings == []
    assert any("not a key that you trust" in one for one in verifying.verified(lines, keys[1:]).findings)
    untold = [line.replace(keys[1], keys[0]) for line in lines]
    assert any("nor one that such a key vouches for" in one for one in verifying.verified(untold, keys[:1]).findings)
    later = [line for line in lines[lines.index(after) :] if '"manifest"' not in line]  # a file that begins behind the event
    assert any(keys[1] in one for one in verifying.verified(later, keys[:1], part=True).findings)


def test_a_key_that_was_lost_is_replaced_and_the_log_says_so(plane: context.Plane, owner: sa.Engine, tmp_path: pathlib.Path) -> None:
    write(plane, owner, 1)
    plane = msgspec.structs.replace(plane, log_signer=log_keys.Files([made(tmp_path, "new.pem")]))
    write(plane, owner, 1)
    planes.seal(plane, owner)
    assert sum("audit.key.changed" in line for line in exported(plane)) == 1
    assert len(signed_with(plane)) == 2


@pytest.fixture
def transit(vault: support.DevVault) -> ports.VaultAccess:
    vault.call("transit/keys/log", type="ed25519")
    return msgspec.structs.replace(vault.role("log", RULES, token_ttl="10m"), mount="transit")


def test_vault_signs_and_rotates_with_an_overlap(
    plane: context.Plane, owner: sa.Engine, vault: support.DevVault, transit: ports.VaultAccess
) -> None:
    now = 0.0
    keys = log_keys.Transit(adapter.Sessions(), transit, key="log", monotonic=lambda: now)
    plane = msgspec.structs.replace(plane, log_signer=keys)
    write(plane, owner, 2)
    [first] = keys.keys()
    vault.call("transit/keys/log/rotate")
    write(plane, owner, 1)
    assert signed_with(plane) == [first]
    now = 2 * log_keys.LOOK_S
    write(plane, owner, 1)
    write(plane, owner, 1)
    assert signed_with(plane) == list(reversed(keys.keys()))
    assert verifying.verified(exported(plane)).findings == []


def test_a_key_of_another_kind_is_refused(vault: support.DevVault, transit: ports.VaultAccess) -> None:
    vault.call("transit/keys/aes", type="aes256-gcm96")
    rules = RULES + ' path "transit/keys/aes" { capabilities = ["read"] }'
    other = msgspec.structs.replace(vault.role("aes", rules), mount="transit")
    with pytest.raises(errors.SecretRefused, match="checkpoints need ed25519"):
        log_keys.Transit(adapter.Sessions(), other, key="aes").keys()
