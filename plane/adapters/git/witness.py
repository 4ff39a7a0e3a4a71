"""A Git repository as a witness: signed states of the log, one file a day, each push one commit on top of the last."""

import contextlib
import datetime as dt
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import git as gitpython

from plane import ports
from plane.adapters.git import transport
from plane.adapters.git import tree as git_tree
from plane.domain import errors
from plane.domain.auditing import audit, sinks
from plane.domain.rendering import secrets

CALL_S = 60.0
LOOK = ("ls-remote", "--quiet", "--heads")
FETCH = ("fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head")
PUSH = ("push", "--quiet", "--no-verify")
WHO = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "plane"), ("EMAIL", "plane@localhost"))}
HEAD = re.compile(r"^(\S[^\n]*)\n(\d+)\n([A-Za-z0-9+/=]{44})\n", re.MULTILINE)


class GitSink:
    """Never forces: a branch that somebody else moved is read again at the next try."""

    def __init__(self, way: transport.Transport) -> None:
        self._way = way

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> None:
        """The batch's last state. BackendDown also when the repository holds a later state of the log, or another one."""
        assert spec.git  # noqa: S101 - this sink was chosen by it
        remote, branch = _remote(spec.git, data), f"refs/heads/{spec.git.branch}"
        with tempfile.TemporaryDirectory(prefix="plane-witness-") as made, _local():
            folder = Path(made)
            git_tree.command(folder).init("--quiet", "--bare", "--template=", "--initial-branch=main")
            there = self._way.run(remote, transport.Call(LOOK, folder, CALL_S, (branch,)))
            if there.strip():
                self._way.run(remote, transport.Call(FETCH, folder, CALL_S, (f"+{branch}:{branch}",)))
            if _commit(folder, branch, batch.end, grown=bool(there.strip())):
                self._way.run(remote, transport.Call(PUSH, folder, CALL_S, (f"{branch}:{branch}",)))


def _remote(spec: sinks.Git, data: Mapping[str, secrets.Secret]) -> ports.GitRemote:
    def text(name: str) -> str:
        return data[name].reveal().decode() if name in data else ""

    auth = ports.GitAuth(text("username"), data.get("password"), data.get("sshKey"), text("knownHosts"), spec.ca_pem)
    return ports.GitRemote("witness", spec.url, auth)


def _commit(folder: Path, branch: str, point: audit.Checkpoint, *, grown: bool) -> bool:
    """Put the state behind those of its log; False when it is there. What others keep in the repository stays as it is."""
    reader, parent = git_tree.command(folder), branch if grown else ""
    below = point.origin.replace("/", "-")
    names = [*str(reader.ls_tree("-r", "--name-only", parent, f"{below}/")).splitlines()] if parent else []
    if names and _holds(str(reader.cat_file("blob", f"{parent}:{max(names)}")), point):
        return False
    path = f"{below}/{dt.datetime.fromisoformat(point.time).date().isoformat()}.txt"
    before = str(reader.cat_file("blob", f"{parent}:{path}")) + "\n" if path in names else ""
    (folder / "note").write_text(f"{before}{point.note()}", encoding="utf-8")
    reader.update_environment(GIT_INDEX_FILE=str(folder / "witness.index"), **WHO)
    if parent:
        reader.read_tree(parent)
    blob = reader.hash_object("-w", "--no-filters", str(folder / "note"))
    reader.update_index("--add", "--cacheinfo", f"100644,{blob},{path}")
    above = ("-p", str(reader.rev_parse(parent))) if parent else ()
    commit = reader.commit_tree(*above, "-m", f"{point.origin} holds {point.size} events", str(reader.write_tree()))
    (folder / "note").unlink()
    reader.update_ref(branch, str(commit))
    return True


def _holds(text: str, point: audit.Checkpoint) -> bool:
    """Whether the state is the last of a file; BackendDown when the file and the log contradict each other."""
    for origin, size, root in HEAD.findall(text):
        if origin == point.origin and int(size) == point.size and audit.unb64(root).hex() != point.root:
            raise errors.BackendDown("witness", f"it holds another state of {size} events: the log was rewritten")
        if origin == point.origin and int(size) > point.size:
            raise errors.BackendDown("witness", f"it holds a state of {size} events, the log has {point.size}: it was cut or put back")
    return any(origin == point.origin and int(size) == point.size for origin, size, _ in HEAD.findall(text))


@contextlib.contextmanager
def _local() -> Iterator[None]:
    try:
        yield
    except (OSError, gitpython.GitCommandError) as e:
        said = e.strerror if isinstance(e, OSError) else str(e.stderr).strip()
        raise errors.BackendDown("witness", f"the commit could not be made: {said}") from e
