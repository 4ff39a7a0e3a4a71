"""Policy sets in an OCI registry: the artifact that a tag names now, signed beside it by cosign or in it as an OPA bundle."""

from collections.abc import Mapping

from plane import ports
from plane.domain import access, errors, trust
from plane.domain.judging import artifacts, bundles, origins
from plane.domain.permitting import projects
from plane.server import context
from plane.server.delivering import permit, policy_sync
from plane.store.delivering import leases
from plane.store.delivering import policy_sources as store


def opened(plane: context.Plane, scope: access.Scope, leased: leases.Leased, remote: ports.GitRemote) -> "Artifacts":
    """Ask the registry what the revisions that sets follow are now; a tag that is not there is left out. BackendDown, SourceRefused."""
    repository, refs = plane.registry(remote), {}
    for revision in policy_sync.revisions(plane, scope, leased, remote.url):
        if digest := revision if artifacts.DIGEST.fullmatch(revision) else repository.digest(revision):
            refs[revision] = digest
    return Artifacts(plane, repository, refs)


class Artifacts:
    """`policy_sync.Source` over one repository of a registry."""

    def __init__(self, plane: context.Plane, repository: ports.Artifacts, refs: dict[str, str]) -> None:
        self._plane, self._repository = plane, repository
        self.refs: Mapping[str, str] = refs

    def found(self, place: policy_sync.Place, one: store.Following) -> str:
        """The digest that was pinned, or that the tag had when the look began."""
        if why := projects.source(place.rules, one.source.repo_url, name=place.project):
            raise permit.ProjectForbids(f"repository {one.source.repo_url} {why}")
        if one.source.target_revision not in self.refs:
            raise errors.SourceRefused(f"{one.source.repo_url} has no tag {one.source.target_revision}")
        return self.refs[one.source.target_revision]

    def read(self, place: policy_sync.Place, one: store.Following, at: str) -> policy_sync.Read:
        """Signed by cosign or as an OPA bundle where the tenant has keys, as an uploaded bundle has to be."""
        keys = (*trust.trusted(place.keys, of=trust.TENANT), *self._plane.policy_keys)
        signed = self._repository.signed(at, keys) if keys else origins.Signed()
        pulled = self._repository.pull(at)
        if pulled.bundle:
            bundle, inside = self._plane.policies.open(pulled.bundle, keys)
            if why := bundles.style_problem(bundle, one.spec.style):
                raise errors.SourceRefused(f"artifact {at[:19]}: {why}")
            texts, manifest = dict(bundle.texts), bundle.manifest
        else:
            inside, manifest = origins.Signed(), bundles.Manifest()
            texts = {name: policy_sync.text(name, body) for name, body in pulled.files.items()}
        if why := policy_sync.problem_of(one, {name: len(text.encode()) for name, text in texts.items()}):
            raise errors.SourceRefused(f"artifact {at[:19]}: {why}")
        by = signed.by or inside.by
        if place.keys and not by:
            why = f"{signed.problem}; policy sets here are taken only when a trusted key signed them"
            raise permit.ProjectForbids(f"artifact {at[:19]} {why}")
        origin = origins.Origin("oci", at, manifest.revision, manifest.roots, manifest.metadata, by)
        return policy_sync.Read(policy_sync.accepted(self._plane, one, texts), texts, origin)
