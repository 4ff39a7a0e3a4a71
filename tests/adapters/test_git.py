"""Mirrors over the real transports."""

import concurrent.futures
import ipaddress
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from plane import ports
from plane.adapters.git import mirrors as git
from plane.adapters.git import transport as git_transport
from plane.domain import errors
from plane.domain.rendering import secrets
from tests.adapters import git_hosts

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

Mirrors = Callable[..., git.Mirrors]


@pytest.fixture
def mirrors(tmp_path: Path) -> Iterator[Mirrors]:
    """Mirrors in a folder of their own; limits as asked."""
    made: list[git.Mirrors] = []

    def make(**limits: float) -> git.Mirrors:
        transport = git_transport.Transport(
            allowed=LOOPBACK, limits=msgspec.convert(limits, git_transport.Limits), resolve=lambda _host, _port: ("127.0.0.1",)
        )
        made.append(git.Mirrors(tmp_path / "state", transport=transport))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def repository(tmp_path: Path) -> git_hosts.Repository:
    """A repository with one app, not served yet."""
    made = git_hosts.Repository(tmp_path / "host" / "shop")
    made.commit({"web/a.yaml": "a: 1\n", "web/b.yaml": "b: 1\n", "api/c.yaml": "c: 1\n"}, message="First")
    return made


@pytest.fixture
def host(repository: git_hosts.Repository) -> Iterator[git_hosts.Host]:
    """The repository's HTTPS host."""
    with git_hosts.https(repository.folder.parent) as served:
        yield served


def remote(host: git_hosts.Host, *, name: str = "shop", user: str = "", password: str = "") -> ports.GitRemote:
    secret = secrets.Secret(password.encode()) if password else None
    return ports.GitRemote("r1", host.url(name), ports.GitAuth(username=user, password=secret, ca_pem=host.ca_pem))


def test_a_push_is_fetched_and_read(mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository) -> None:
    mine, there = mirrors(), remote(host)
    first = mine.fetch(there)["HEAD"]
    second = repository.commit({"web/a.yaml": "a: 2\n"})
    assert mine.fetch(there) == {"HEAD": second, "refs/heads/main": second} == mine.refs(there)
    tree = mine.tree(there, second)
    assert [file.path for file in tree.files("web")] == ["web/a.yaml", "web/b.yaml"]
    assert tree.read(tree.files("web"))["web/a.yaml"] == b"a: 2\n"
    assert mine.changed(there, first, second) == frozenset({"web/a.yaml"})


def test_every_way_to_name_a_commit(mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository) -> None:
    sha = repository.run("rev-parse", "HEAD")
    repository.run("tag", "-a", "v1.0", "-m", "release")
    repository.run("branch", "feature/x")
    mine, there = mirrors(), remote(host)
    assert mine.fetch(there)["refs/tags/v1.0"] == sha == mine.refs(there)["refs/tags/v1.0"]
    names = ("HEAD", "main", "feature/x", "v1.0", "refs/tags/v1.0", "refs/heads/main", sha, sha[:7], sha[:12])
    assert {mine.resolve(there, name).sha for name in names} == {sha}
    commit = mine.resolve(there, "main")
    assert (commit.author, commit.subject, commit.committed_at[-1]) == ("dev", "First", "Z")


def test_a_word_that_is_branch_and_tag_of_different_commits_is_refused(
    mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository
) -> None:
    repository.run("tag", "both")
    repository.run("branch", "both")
    repository.run("checkout", "-q", "both", "--")
    repository.run("checkout", "-q", "refs/heads/both")
    repository.run("update-ref", "refs/heads/both", repository.commit({"x": "1"}))
    mine, there = mirrors(), remote(host)
    mine.fetch(there)
    with pytest.raises(errors.SourceRefused, match=r"names both a branch and a tag; write refs/heads/both or refs/tags/both"):
        mine.resolve(there, "both")


@pytest.mark.parametrize("revision", ["nope", "0123456789", "f" * 40])
def test_an_unknown_revision_is_named(mirrors: Mirrors, host: git_hosts.Host, revision: str) -> None:
    mine, there = mirrors(), remote(host)
    mine.fetch(there)
    with pytest.raises(errors.SourceRefused, match=f"targetRevision '{revision}' is unknown"):
        mine.resolve(there, revision)


@pytest.mark.parametrize("revision", ["-x", "--upload-pack=id", "main~1", "main^", "a..b", "a b", "a\nb", "HEAD@{1}", "x:y", ""])
def test_a_revision_is_a_plain_name(mirrors: Mirrors, host: git_hosts.Host, revision: str) -> None:
    with pytest.raises(errors.SourceRefused, match="is not a branch, tag or commit"):
        mirrors().resolve(remote(host), revision)


def test_a_force_push_leaves_no_old_commit_to_compare(mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository) -> None:
    mine, there = mirrors(), remote(host)
    new = mine.fetch(there)["HEAD"]
    assert mine.changed(there, "0" * 40, new) is None
    repository.run("commit", "-q", "--amend", "-m", "Other")
    assert mine.resolve(there, "main").sha == new
    assert mine.fetch(there)["refs/heads/main"] == repository.run("rev-parse", "HEAD") == mine.resolve(there, "main").sha


def test_a_deleted_branch_goes_from_the_mirror(mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository) -> None:
    repository.run("branch", "gone")
    mine, there = mirrors(), remote(host)
    assert "refs/heads/gone" in mine.fetch(there)
    repository.run("branch", "-D", "gone")
    assert "refs/heads/gone" not in mine.fetch(there)


def test_an_empty_repository_has_no_refs(mirrors: Mirrors, tmp_path: Path) -> None:
    git_hosts.Repository(tmp_path / "host" / "empty")
    with git_hosts.https(tmp_path / "host") as host:
        assert mirrors().fetch(remote(host, name="empty")) == {}


def test_many_callers_share_fetches(mirrors: Mirrors, host: git_hosts.Host) -> None:
    mine, there = mirrors(), remote(host)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = [future.result() for future in [threads.submit(mine.fetch, there) for _ in range(40)]]
    assert all(answer == answers[0] for answer in answers)
    assert len([request for request in host.requests if "info/refs" in request]) < 40


def test_links_and_submodules_are_not_there(mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository) -> None:
    (repository.folder / "web" / "passwd").symlink_to("/etc/passwd")
    (repository.folder / "linked").symlink_to("web")
    repository.commit({})
    repository.run("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
    repository.run("commit", "-q", "-m", "Add a submodule")
    sha = repository.run("rev-parse", "HEAD")
    mine, there = mirrors(), remote(host)
    mine.fetch(there)
    tree = mine.tree(there, sha)
    assert "web/passwd" not in {file.path for file in tree.files(".")}
    for path, noun in (("linked", "a symbolic link"), ("linked/deep", "a symbolic link"), ("vendor", "a submodule")):
        with pytest.raises(errors.SourceRefused, match=f"goes through '{path.split('/')[0]}', which is {noun}"):
            tree.files(path)


def test_a_tree_that_names_billions_of_files_is_refused(mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository) -> None:
    level = f"100644 blob {repository.run('hash-object', '-w', 'web/a.yaml')}\t"
    for _ in range(10):
        entries = "".join(f"{level}f{number}\n" for number in range(10))
        listing = repository.folder.parent / "listing"
        listing.write_text(entries)
        with listing.open() as lines:
            made = subprocess.run(["git", "mktree"], cwd=repository.folder, stdin=lines, capture_output=True, check=True)  # noqa: S607
        level = f"040000 tree {made.stdout.decode().strip()}\t"
    sha = repository.run("commit-tree", level.split()[2], "-m", "bomb")
    repository.run("update-ref", "refs/heads/bomb", sha)
    mine, there = mirrors(), remote(host)
    mine.fetch(there)
    with pytest.raises(errors.SourceRefused, match="names more files than fit into"):
        mine.tree(there, sha).files(".")
    with pytest.raises(errors.SourceRefused, match="names more files than fit into"):
        mine.changed(there, mine.resolve(there, "main").sha, sha)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/etc", "leaves the repository"),
        ("../x", "leaves the repository"),
        ("web/../../x", "leaves the repository"),
        ("web/a.yaml", "is a file"),
        ("absent", "does not exist"),
        ("we", "does not exist"),
    ],
)
def test_a_path_is_a_folder_of_the_repository(mirrors: Mirrors, host: git_hosts.Host, path: str, sentence: str) -> None:
    mine, there = mirrors(), remote(host)
    tree = mine.tree(there, mine.fetch(there)["HEAD"])
    with pytest.raises(errors.SourceRefused, match=sentence):
        tree.files(path)


def test_a_password_opens_a_private_repository_and_is_seen_nowhere(
    mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository, tmp_path: Path
) -> None:
    (repository.folder / "private").touch()
    seen: list[bytes] = []
    original = git_hosts.backend

    def spying(handler: object) -> None:
        seen.extend(
            Path(f"/proc/{pid}/{what}").read_bytes()
            for pid in (path.name for path in Path("/proc").iterdir())
            if pid.isdigit()
            for what in ("cmdline", "environ")
            if _readable(pid)
        )
        original(handler)  # type: ignore[arg-type]

    with git_hosts.https(tmp_path / "host", spying) as spied:
        assert "HEAD" in mirrors().fetch(remote(spied, user=git_hosts.USER, password=git_hosts.PASSWORD))
    spies = b"".join(seen) + b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert git_hosts.PASSWORD.encode() not in spies
    assert git_hosts.login().encode() not in spies
    assert b"GIT_CONFIG_GLOBAL=/proc/self/fd/" in spies


def _readable(pid: str) -> bool:
    try:
        return b"git" in Path(f"/proc/{pid}/cmdline").read_bytes() and bool(Path(f"/proc/{pid}/environ").read_bytes())
    except OSError:
        return False


@pytest.mark.parametrize("password", ["", "wrong"])
def test_wrong_credentials_are_said_without_repeating_them(
    mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository, password: str
) -> None:
    (repository.folder / "private").touch()
    with pytest.raises(errors.SourceRefused, match="credentials are missing, wrong or lack access") as caught:
        mirrors().fetch(remote(host, user=git_hosts.USER, password=password))
    assert "wrong;" not in str(caught.value)


def test_an_unknown_repository_is_said(mirrors: Mirrors, host: git_hosts.Host) -> None:
    with pytest.raises(errors.SourceRefused, match="no such repository"):
        mirrors().refs(remote(host, name="absent"))


def test_a_redirect_is_never_followed(mirrors: Mirrors, host: git_hosts.Host, tmp_path: Path) -> None:
    def elsewhere(handler: object) -> None:
        git_hosts.plain(handler, 302, {"Location": host.url("shop/info/refs?service=git-upload-pack")})  # type: ignore[arg-type]

    (tmp_path / "other").mkdir()
    with git_hosts.https(tmp_path / "other", elsewhere) as redirecting, pytest.raises(errors.SourceRefused, match="redirects elsewhere"):
        mirrors().refs(remote(redirecting))
    assert host.requests == []


def test_an_untrusted_certificate_is_said(mirrors: Mirrors, host: git_hosts.Host) -> None:
    with pytest.raises(errors.SourceRefused, match="certificate is not trusted"):
        mirrors().refs(ports.GitRemote("r1", host.url("shop")))


def test_an_unreachable_host_may_come_back(mirrors: Mirrors, host: git_hosts.Host) -> None:
    gone = ports.GitRemote("r1", "https://localhost:1/shop", ports.GitAuth(ca_pem=host.ca_pem))
    with pytest.raises(errors.BackendDown, match=r"https://localhost:1/shop cannot be reached: .*(refused|connect)"):
        mirrors().refs(gone)


def test_a_silent_host_is_given_up(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with (
        git_hosts.https(tmp_path / "other", lambda _: time.sleep(5)) as silent,
        pytest.raises(errors.BackendDown, match=r"within 0\.5 s; it is too slow"),
    ):
        mirrors(refs_s=0.5).refs(remote(silent))


def test_endless_refs_are_cut_off(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    def endless(handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.send_header("Content-Type", "application/x-git-upload-pack-advertisement")  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        handler.wfile.write(b"001e# service=git-upload-pack\n0000")  # type: ignore[attr-defined]
        number = 0
        while True:
            number += 1
            line = f"{number:040x} refs/heads/b{number:07d}" + ("\0agent=x\n" if number == 1 else "\n")
            handler.wfile.write(f"{len(line) + 4:04x}{line}".encode())  # type: ignore[attr-defined]

    with git_hosts.https(tmp_path / "other", endless) as host, pytest.raises((errors.SourceRefused, errors.BackendDown)):
        mirrors(refs_s=2, answer_bytes=100_000).refs(remote(host))


def test_a_repository_beyond_the_quota_is_refused(mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository) -> None:
    (repository.folder / "big").write_bytes(os.urandom(3_000_000))
    repository.commit({})
    with pytest.raises(errors.SourceRefused, match="larger than the 1,000,000 bytes"):
        mirrors(mirror_bytes=1_000_000).fetch(remote(host))


def test_a_repository_beyond_its_tenants_quota_is_refused_with_its_size(
    mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository
) -> None:
    mine = mirrors()
    mine.fetch(remote(host))
    small = mine.size(remote(host))
    (repository.folder / "big").write_bytes(os.urandom(3_000_000))
    repository.commit({})
    with pytest.raises(errors.SourceRefused, match=r"it has [1-4],\d{3},\d{3} bytes or more, and the tenant's quota is 1,000,000 for one"):
        mine.fetch(msgspec.structs.replace(remote(host), quota_bytes=1_000_000))
    assert small < 1_000_000


def test_ssh_wants_the_right_key_and_a_known_host(mirrors: Mirrors, repository: git_hosts.Repository) -> None:
    sha = repository.run("rev-parse", "HEAD")
    with git_hosts.ssh(repository.folder) as (url, key, hosts):
        auth = ports.GitAuth(ssh_key=secrets.Secret(key.encode()), known_hosts=hosts)
        there = ports.GitRemote("r1", url, auth)
        mine = mirrors()
        assert mine.fetch(there)["HEAD"] == sha == mine.refs(there)["HEAD"]
        with pytest.raises(errors.SourceRefused, match="host key is unknown"):
            mine.refs(ports.GitRemote("r1", url, ports.GitAuth(ssh_key=auth.ssh_key)))
        with pytest.raises(errors.SourceRefused, match="not among the known hosts"):
            mine.refs(ports.GitRemote("r1", url, ports.GitAuth(ssh_key=auth.ssh_key, known_hosts=hosts.replace("[localhost]", "[other]"))))
        with pytest.raises(errors.SourceRefused, match="credentials are missing, wrong or lack access"):
            mine.refs(ports.GitRemote("r1", url, ports.GitAuth(known_hosts=hosts)))
    assert not list(Path("/dev/shm").glob("plane-ssh-*"))


def test_small_packs_are_joined(
    mirrors: Mirrors, host: git_hosts.Host, repository: git_hosts.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "MAX_PACKS", 3)
    mine, there = mirrors(), remote(host)
    shas = []
    for number in range(6):
        shas.append(repository.commit({"web/a.yaml": f"a: {number}\n"}))
        mine.fetch(there)
    assert len(list((repository.folder.parents[1] / "state").rglob("*.pack"))) <= 4
    assert [mine.resolve(there, sha).sha for sha in shas] == shas
