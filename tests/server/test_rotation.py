"""What an agent is given between the exchange of its keys and the next sealing."""

import msgspec

from plane.run.devgit import DevGit
from plane.store.layout import tables
from plane.wire import agent
from tests.support import planes

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {greeting: hello}
"""
VALUE = agent.SealedValue(agent.Key("", "ConfigMap", "shop", "web"), "/data/greeting", b"ciphertext")


def test_a_release_that_is_not_yet_sealed_to_the_new_key_goes_out_with_the_values_for_the_old(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("rotation", planes.files("web", config=CONFIG))
    app = fleet.app("web", fleet.repository(devgit, "rotation"), url)
    fleet.work()
    digest = fleet.row("SELECT digest FROM releases").digest
    row = {"tenant_id": fleet.tenant, "app_id": app, "digest": digest, "key_id": "ffffffffffffffff"}
    with fleet.owner.begin() as tx:
        tx.execute(tables.sealed_values.insert().values(body=msgspec.msgpack.encode((VALUE,)), **row))
    [(_, release)] = fleet.claim()
    assert release is not None
    assert (release.key_id, release.sealed) == ("ffffffffffffffff", (VALUE,))
