"""Policy sets in an OCI registry: pinned by digest, signed where that is asked for, in force once accepted."""

import pathlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access, tenancy, trust
from plane.domain.judging import policy_sources
from plane.domain.rendering import secrets
from plane.server import authorise, documents, keys
from plane.server.keeping import policies, repositories
from plane.store import engine
from plane.store.delivering import policy_sources as store
from plane.store.layout import tables
from plane.wire import documents as wire
from tests.support import opa_bundles, planes
from tests.support import registry as support

NAMES = authorise.Names("acme", "", "house")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Registry]:
    with support.registry(tmp_path_factory.mktemp("registry") / "held") as found:
        yield found


class Shop:
    """A set that follows a tag of a repository of its own."""

    def __init__(self, fleet: planes.Fleet, registry: support.Registry, *, private: bool = False) -> None:
        self.fleet, self.registry = fleet, registry
        self.name = f"{'private/' if private else ''}rules-{fleet.tenant[-12:]}"
        self.url = registry.url(self.name)

    @property
    def caller(self) -> authorise.Caller:
        return authorise.Caller(access.Actor(self.fleet.tenant, "cy", grants=(access.Grant("admin", self.fleet.tenant),)))

    def push(self, word: str, tag: str = "v1", **more: str) -> str:
        texts = {"own.rego": opa_bundles.RULE.replace("no owner", word), "owned/data.json": '{"kinds": ["Pod"]}', **more}
        packed = opa_bundles.packed({name: text.encode() for name, text in texts.items()})
        return self.registry.push(f"{self.name}:{tag}", ("bundle.tar.gz", packed))

    def repository(self, **spec: object) -> None:
        self.fleet.add(
            tables.repositories,
            tenant_id=self.fleet.tenant,
            project_id=self.fleet.project,
            name="rules",
            spec={"url": self.url, "caPem": self.registry.ca_pem, **spec},
            url=tenancy.normal_url(self.url),
            poll_at=self.fleet.plane.clock.now(),
        )

    def make(self, **source: str) -> wire.PolicySet:
        where = policy_sources.Source(**{"project": "shop", "repo_url": self.url, "target_revision": "v1", **source})
        spec = tenancy.PolicySetSpec(source=where)
        wish = wire.PolicySet(api_version=wire.API_VERSION, metadata=wire.Metadata(name="house"), spec=spec)
        made = documents.replace(self.fleet.plane, self.caller, policies.KIND, NAMES, wish).document
        assert isinstance(made, wire.PolicySet)
        return made

    def look(self) -> wire.PolicySetStatus:
        """The set's status after a look at the registry and all that follows from it."""
        with self.fleet.owner.begin() as tx:
            tx.execute(sa.update(tables.repositories).values(poll_at=self.fleet.plane.clock.now()))
        self.fleet.work()
        found = documents.get(self.fleet.plane, self.caller, policies.KIND, NAMES)
        assert isinstance(found, wire.PolicySet)
        assert found.status
        return found.status

    def trust(self, *signers: opa_bundles.Signer) -> None:
        made = [trust.Key(f"ci-{one.algorithm}", one.public, one.algorithm) for one in signers]  # type: ignore[arg-type]  # no HS256
        with self.fleet.owner.begin() as tx:
            tx.execute(sa.update(tables.tenants).values(spec=msgspec.to_builtins(tenancy.TenantSpec(policy_keys=tuple(made)))))

    def events(self) -> list[tuple[str, str]]:
        with self.fleet.owner.begin() as tx:
            bodies = tx.exec_driver_sql("SELECT body FROM audit_events WHERE type LIKE 'policy.source.%%' ORDER BY id").scalars()
            found: list[dict[str, Any]] = [msgspec.json.decode(one) for one in bodies]
        return [(one["type"].rpartition(".")[2], one.get("commit", "")) for one in found]


@pytest.fixture
def shop(fleet: planes.Fleet, registry: support.Registry) -> Shop:
    return Shop(fleet, registry)


def sentence(found: wire.PolicySetStatus) -> str:
    return found.problem.sentence if found.problem else ""


def test_a_tag_is_followed_and_the_last_good_artifact_stays_in_force(shop: Shop) -> None:
    shop.repository()
    first = shop.push("first")
    assert shop.make().files == {}
    found = shop.look()
    assert found.origin
    assert (found.commit, found.origin.kind, found.origin.digest) == (first, "oci", first)
    broken = shop.push("second", **{"bad.rego": "package plane.rules.bad\n\nviolations contains x if {\n\ty == 1\n}\n"})
    after = shop.look()
    assert (after.digest, after.commit) == (found.digest, broken)
    assert "bad.rego:3:21: var x is unsafe" in sentence(after)
    with engine.begin(shop.fleet.plane.engine, shop.fleet.scope) as tx:
        [warning] = store.stale(tx, shop.fleet.tenant)
    assert f"artifact {broken[:19]} is not in force since" in warning
    assert f"what was read before (artifact {first[:19]}) holds" in warning
    mended = shop.push("third")
    assert (sentence(shop.look()), shop.look().commit) == ("", mended)
    assert shop.events() == [("accepted", first), ("refused", broken), ("accepted", mended)]


def test_a_tag_that_is_not_there_concerns_no_other_set(shop: Shop) -> None:
    shop.repository()
    shop.push("first")
    shop.make(target_revision="v9")
    assert sentence(shop.look()) == f"{shop.url} has no tag v9"
    shop.look()
    assert [kind for kind, _ in shop.events()] == ["refused"]
    late = shop.push("late", "v9")
    assert shop.look().commit == late


def test_a_digest_is_pinned_for_ever(shop: Shop) -> None:
    shop.repository()
    first = shop.push("first")
    shop.make(target_revision=first)
    shop.push("second")
    found = shop.look()
    assert found.origin
    assert (found.commit, found.origin.digest, sentence(found)) == (first, first, "")


def test_where_signatures_are_asked_for_an_artifact_waits_for_one(shop: Shop, tmp_path: pathlib.Path) -> None:
    signer, other = opa_bundles.Signer(tmp_path, "ES256"), opa_bundles.Signer(tmp_path, "RS256")
    shop.repository()
    shop.trust(signer, other)
    digest = shop.push("first")
    shop.make()
    found = shop.look()
    assert (found.digest, found.commit) == ("", "")
    assert sentence(found).startswith(f"artifact {digest[:19]} carries no signature of cosign")
    assert sentence(found).endswith("policy sets here are taken only when a trusted key signed them")
    shop.registry.sign(shop.name, digest, signer.private)
    signed = shop.look()
    assert signed.origin
    assert (signed.origin.signed_by, signed.commit) == ("tenant/ci-ES256", digest)
    packed = opa_bundles.built(opa_bundles.folder(tmp_path / "set", opa_bundles.FILES), other)
    inside = shop.registry.push(f"{shop.name}:v1", ("built.tar.gz", packed))
    built = shop.look()
    assert built.origin
    assert (built.origin.signed_by, built.origin.revision, built.commit) == ("tenant/ci-RS256", "r7", inside)


def test_a_private_registry_is_read_with_the_projects_credential(fleet: planes.Fleet, registry: support.Registry) -> None:
    shop = Shop(fleet, registry, private=True)
    shop.repository(credential="robot")
    digest = shop.push("first")
    shop.make()
    assert "which is not a Git credential of this project" in sentence(shop.look())
    context = keys.wrapping_context(fleet.tenant, fleet.project, "robot")
    wrapped = fleet.plane.envelope.wrap(secrets.Secret(msgspec.json.encode({"password": support.PASSWORD})), context=context)
    spec = {"kind": "git-password", "username": "robot"}
    fleet.add(tables.credentials, tenant_id=fleet.tenant, project_id=fleet.project, name="robot", spec=spec, wrapped=wrapped)
    assert shop.look().commit == digest
    tested = repositories.test(fleet.plane, shop.caller, authorise.Names("acme", "shop", "rules"))
    assert (tested.ok, tested.sentence) == (True, "1 tags")


def test_a_registry_that_is_away_takes_nothing_out_of_force(shop: Shop) -> None:
    shop.repository()
    shop.push("first")
    shop.make()
    before = shop.look()
    with shop.fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.repositories).values(spec={"url": shop.url}))  # no authority of ours vouches for it
    after = shop.look()
    assert (after.digest, "cannot be reached: [SSL: CERTIFICATE_VERIFY_FAILED]" in sentence(after)) == (before.digest, True)


def test_a_projects_source_repos_hold_for_registries(shop: Shop) -> None:
    shop.repository()
    shop.push("first")
    shop.make()
    with shop.fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.projects).values(spec={"sourceRepos": ["oci://registry.example/*"]}))
    assert "is not among the sourceRepos of project shop" in sentence(shop.look())
