import datetime as dt
import os
import pathlib
import subprocess
import time
from collections.abc import Iterator

import pytest

from plane.run import devgit

FILES = {"web/deployment.yaml": b"kind: Deployment\n", "web/service.yaml": b"kind: Service\n"}


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Iterator[devgit.DevGit]:
    with devgit.start(tmp_path / "host") as host:
        yield host


def git(host: devgit.DevGit, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["/usr/bin/env", "git", *arguments]
    return subprocess.run(command, env={**host.environment, **environment}, capture_output=True, text=True, check=False)


def test_a_clone_has_what_was_committed(host: devgit.DevGit, tmp_path: pathlib.Path) -> None:
    url = host.create("apps", FILES)
    assert git(host, "clone", "--quiet", url, str(tmp_path / "clone")).returncode == 0
    assert (tmp_path / "clone/web/deployment.yaml").read_bytes() == b"kind: Deployment\n"


def test_a_commit_is_seen_by_its_sha_at_the_branch(host: devgit.DevGit) -> None:
    url = host.create("apps", FILES)
    sha = host.commit("apps", {"web/deployment.yaml": b"kind: Job\n", "web/service.yaml": None}, "Change")
    assert git(host, "ls-remote", url, "refs/heads/main").stdout.split()[0] == sha


def test_the_same_commits_have_the_same_shas(tmp_path: pathlib.Path) -> None:
    shas = set()
    for place in ("one", "two"):
        with devgit.start(tmp_path / place) as host:
            host.create("apps")
            shas.add(host.commit("apps", FILES, "First", when=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    assert len(shas) == 1


def test_branches_and_tags_are_served(host: devgit.DevGit) -> None:
    url = host.create("apps", FILES)
    host.commit("apps", {"more.yaml": b"kind: Secret\n"}, "More", branch="next")
    host.tag("apps", "v1.0.0")
    listed = git(host, "ls-remote", url).stdout
    assert all(ref in listed for ref in ("refs/heads/main", "refs/heads/next", "refs/tags/v1.0.0"))


def test_a_deleted_branch_is_gone(host: devgit.DevGit) -> None:
    url = host.create("apps", FILES)
    host.commit("apps", {}, "Same", branch="next")
    host.delete_branch("apps", "next")
    assert "next" not in git(host, "ls-remote", url).stdout


def test_a_pack_of_megabytes_goes_through(host: devgit.DevGit, tmp_path: pathlib.Path) -> None:
    noise = os.urandom(3 << 20)
    url = host.create("apps", {"noise": noise})
    git(host, "clone", "--quiet", url, str(tmp_path / "clone"))
    assert (tmp_path / "clone/noise").read_bytes() == noise


def test_only_the_right_login_may_read(tmp_path: pathlib.Path) -> None:
    with devgit.start(tmp_path, login=devgit.Login("git", "token")) as host:
        url = host.create("apps", FILES)
        assert git(host, "ls-remote", url).returncode == 0
        wrong = devgit.Login("git", "wrong").header()
        assert (
            "Authentication failed" in git(host, "ls-remote", url, GIT_CONFIG_VALUE_2=f"Authorization: {wrong}", GIT_ASKPASS="true").stderr
        )


def test_an_unknown_authority_is_refused(host: devgit.DevGit) -> None:
    url = host.create("apps", FILES)
    assert "certificate" in git(host, "ls-remote", url, GIT_CONFIG_COUNT="0").stderr


def test_a_missing_repository_is_not_found(host: devgit.DevGit) -> None:
    assert "not found" in git(host, "ls-remote", host.url_of("absent")).stderr


def test_a_path_outside_is_refused(host: devgit.DevGit) -> None:
    host.create("apps", FILES)
    assert git(host, "ls-remote", f"{host.url}/../work/apps/.git").returncode != 0


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (devgit.Status(500), "error: 500"),
        (devgit.Redirect("https://127.0.0.1:9"), "127.0.0.1 port 9"),
    ],
    ids=["status", "redirect"],
)
def test_a_fault_is_what_git_sees(host: devgit.DevGit, fault: devgit.Fault, said: str) -> None:
    url = host.create("apps", FILES)
    host.faults["apps"] = fault
    assert said in git(host, "ls-remote", url).stderr


def test_a_slow_answer_comes_in_the_end(host: devgit.DevGit) -> None:
    url = host.create("apps", FILES)
    host.faults["apps"] = devgit.Slow(0.3)
    began = time.monotonic()
    assert git(host, "ls-remote", url).returncode == 0
    assert time.monotonic() - began > 0.3


def test_repositories_survive_a_restart(tmp_path: pathlib.Path) -> None:
    with devgit.start(tmp_path) as host:
        host.create("apps", FILES)
    with devgit.start(tmp_path) as host:
        sha = host.commit("apps", {"more": b"x"}, "More")
        assert sha in git(host, "ls-remote", host.url_of("apps")).stdout
