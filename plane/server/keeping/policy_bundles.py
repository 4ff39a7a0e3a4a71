"""What a wish for a policy set brings: files as they are, or an OPA bundle; and whether it may come here unsigned."""

import hashlib
from collections.abc import Mapping

import msgspec

from plane.domain import access, errors, trust
from plane.domain.judging import bundles, origins
from plane.server import documents as generic
from plane.server.keeping import policy_sources
from plane.store.delivering import usage


class Brought(msgspec.Struct, frozen=True):
    """The files of a set as they will be kept. `unsigned`: why they do not count as signed, as the end of a sentence."""

    files: Mapping[str, str]
    origin: origins.Origin | None = None
    unsigned: str = "was not signed: only bundles are; send one with `plane policy upload`"


def brought(change: generic.Change) -> Brought:
    """Invalid: both files and a bundle, or a bundle that is none."""
    wish = change.wish
    if wish.spec.source:
        policy_sources.check(change, wish.spec.source)
        return Brought(change.before.files if change.before else {}, unsigned="")  # whose commits count is asked when they are read
    if not wish.bundle:
        return Brought(wish.files)
    if wish.files:
        raise errors.Invalid({bundles.FIELD: "a policy set has files or comes as a bundle; send one of the two"})
    bundle, signed = change.plane.policies.open(wish.bundle, _keys(change))
    if problem := bundles.style_problem(bundle, wish.spec.style):
        raise errors.Invalid({bundles.FIELD: problem})
    manifest, digest = bundle.manifest, f"sha256:{hashlib.sha256(wish.bundle).hexdigest()}"
    origin = origins.Origin("bundle", digest, manifest.revision, manifest.roots, manifest.metadata, signed.by)
    return Brought(bundle.texts, origin, signed.problem)


def check_signed(change: generic.Change, found: Brought) -> None:
    """Invalid where keys are named that sets have to be signed with, and none of them signed this one."""
    if found.unsigned and _required(change):
        raise errors.Invalid({bundles.FIELD: f"{found.unsigned}; policy sets here are taken only when a trusted key signed them"})


def _keys(change: generic.Change) -> tuple[trust.Trusted, ...]:
    """The tenant's, and the platform's, which everybody trusts."""
    return (*trust.trusted(_own(change), of=trust.TENANT), *change.plane.policy_keys)


def _required(change: generic.Change) -> bool:
    """Whoever names keys wants signatures; the platform's keys bind the platform's sets alone."""
    return bool(change.plane.policy_keys if change.place.scope.tenant == access.PLATFORM_TENANT else _own(change))


def _own(change: generic.Change) -> tuple[trust.Key, ...]:
    tenant = change.place.scope.tenant
    return () if tenant == access.PLATFORM_TENANT else usage.above(change.place.tx, tenant).policy_keys
