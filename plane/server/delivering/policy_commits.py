"""Policy sets in Git: a folder of a commit that the project takes from there, signed as it wants it."""

from collections.abc import Mapping

from plane import ports
from plane.domain import errors
from plane.domain.judging import origins, policy_sources
from plane.domain.permitting import projects
from plane.server import context
from plane.server.delivering import permit, policy_sync
from plane.store.delivering import policy_sources as store


class Commits:
    """`policy_sync.Source` over a mirror; a worker that has not fetched yet fetches once."""

    def __init__(self, plane: context.Plane, remote: ports.GitRemote, refs: Mapping[str, str]) -> None:
        self._plane, self._remote, self.refs = plane, remote, refs

    def found(self, place: policy_sync.Place, one: store.Following) -> str:
        """The commit, once its signature is what the project, or else the tenant, asks for."""
        if why := projects.source(place.rules, one.source.repo_url, name=place.project):
            raise permit.ProjectForbids(f"repository {one.source.repo_url} {why}")
        commit = self._resolved(one.source.target_revision)
        if place.rules.signature_keys:
            permit.check_commit(self._plane, self._remote, commit, rules=place.rules, project=place.project)
        elif place.keys:
            lacks = f"the tenant has policyKeys and project {place.project} no signatureKeys"
            raise permit.ProjectForbids(f"{lacks}, so nobody says whose commits count; add them to it")
        return commit.sha

    def read(self, place: policy_sync.Place, one: store.Following, at: str) -> policy_sync.Read:
        """All files of the folder that the set's style means."""
        tree = self._plane.git.tree(self._remote, at)
        folder = "" if one.source.path.strip("/") in {"", "."} else f"{one.source.path.strip('/')}/"
        below = {file.path.removeprefix(folder): file for file in tree.files(one.source.path)}
        names = policy_sources.members(below, one.spec.style)
        if problem := policy_sync.problem_of(one, {name: below[name].size_bytes for name in names}):
            raise errors.SourceRefused(f"{one.source.path}: {problem}")
        contents = tree.read(below[name] for name in names)
        texts = {name: policy_sync.text(name, contents[below[name].path]) for name in names}
        signed = f"project/{place.project}" if place.rules.signature_keys else ""
        return policy_sync.Read(policy_sync.accepted(self._plane, one, texts), texts, origins.Origin("git", revision=at, signed_by=signed))

    def _resolved(self, revision: str) -> ports.Commit:
        try:
            return self._plane.git.resolve(self._remote, revision)
        except errors.SourceRefused:
            self._plane.git.fetch(self._remote)
            return self._plane.git.resolve(self._remote, revision)
