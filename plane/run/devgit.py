"""A Git host for demo, tests and benchmarks: bare repositories in a folder, over HTTPS, served by git's own `http-backend`.

with devgit.start(folder) as host:
    url = host.create("apps", {"web/deployment.yaml": b"…"})
    host.commit("apps", {"web/deployment.yaml": b"…"}, "Raise the replicas")
"""

import asyncio
import base64
import contextlib
import datetime as dt
import functools
import hmac
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping

import msgspec
from aiohttp import web

from plane.domain import errors
from plane.run import certificates, threaded

BRANCH = "main"
CHUNK = 1 << 16
ISOLATED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "PATH": os.environ.get("PATH", os.defpath),
}
PERSON = {
    f"GIT_{role}_{fact}": value for role in ("AUTHOR", "COMMITTER") for fact, value in (("NAME", "dev"), ("EMAIL", "dev@example.com"))
}


class Login(msgspec.Struct, frozen=True):
    """What every request must show."""

    user: str
    password: str

    def header(self) -> str:
        """As HTTP basic authentication sends it."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class Redirect(msgspec.Struct, frozen=True):
    """Answers 302 to this base URL, the repository's path kept."""

    base: str


class Status(msgspec.Struct, frozen=True):
    """Answers with a bare status."""

    code: int


class Slow(msgspec.Struct, frozen=True):
    """Answers rightly, but late."""

    seconds: float


Fault = Redirect | Status | Slow


class DevGit:
    """A running host; `start` makes one. Pushes and commits go through its own HTTPS, as a user's would."""

    def __init__(self, root: pathlib.Path, login: Login | None) -> None:
        self.root = root
        self.url = ""
        self.ca_file = root / "ca.crt"
        self.login = login
        self.faults: dict[str, Fault] = {}
        """Repository name → how it misbehaves; may be changed at any time."""

    @property
    def environment(self) -> dict[str, str]:
        """For a `git` that talks to this host: its authority, its log-in, nothing of the user's own settings."""
        settings = {"http.sslCAInfo": str(self.ca_file), "init.defaultBranch": BRANCH}
        if self.login:
            settings["http.extraHeader"] = f"Authorization: {self.login.header()}"
        numbered = {
            f"GIT_CONFIG_{part}_{n}": text
            for n, pair in enumerate(settings.items())
            for part, text in zip(("KEY", "VALUE"), pair, strict=True)
        }
        return {**ISOLATED, **PERSON, "HOME": str(self.root), "GIT_CONFIG_COUNT": str(len(settings)), **numbered}

    def url_of(self, name: str) -> str:
        """Where a repository is cloned from."""
        return f"{self.url}/{name}.git"

    def create(self, name: str, files: Mapping[str, bytes] | None = None) -> str:
        """A repository, with a first commit if there are files; gives its URL."""
        bare = self.root / "repositories" / f"{name}.git"
        self._git(self.root, "init", "--quiet", "--bare", str(bare))
        for key, value in {"http.receivepack": "true", "uploadpack.allowAnySHA1InWant": "true", "gc.auto": "0"}.items():
            self._git(bare, "config", key, value)
        work = self._work(name)
        self._git(self.root, "init", "--quiet", str(work))
        self._git(work, "remote", "add", "origin", self.url_of(name))
        if files:
            self.commit(name, files, "First commit")
        return self.url_of(name)

    def commit(
        self, name: str, files: Mapping[str, bytes | None], message: str, *, branch: str = BRANCH, when: dt.datetime | None = None
    ) -> str:
        """Write (None: delete) the files on a branch, commit, push; gives the full SHA. A new branch starts at the last commit."""
        work = self._work(name)
        self._git(work, "checkout", "--quiet", *(() if self._has(work, branch) else ("-B",)), branch)
        for path, content in files.items():
            _write(work / path, content)
        self._git(work, "add", "--all")
        dates = {f"GIT_{role}_DATE": when.isoformat() for role in ("AUTHOR", "COMMITTER")} if when else {}
        self._git(work, "commit", "--quiet", "--allow-empty", "--message", message, environment=dates)
        self._git(work, "push", "--quiet", "--force", "origin", branch)
        return self._git(work, "rev-parse", "HEAD")

    def tag(self, name: str, tag: str) -> None:
        """Tag (annotated) the last commit and push the tag."""
        work = self._work(name)
        self._git(work, "tag", "--annotate", "--message", tag, tag)
        self._git(work, "push", "--quiet", "origin", f"refs/tags/{tag}")

    def delete_branch(self, name: str, branch: str) -> None:
        """Delete it on the host."""
        self._git(self._work(name), "push", "--quiet", "--delete", "origin", branch)

    def _work(self, name: str) -> pathlib.Path:
        return self.root / "work" / name

    def _has(self, work: pathlib.Path, branch: str) -> bool:
        return bool(self._git(work, "for-each-ref", f"refs/heads/{branch}"))

    def _git(self, folder: pathlib.Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, env={**self.environment, **(environment or {})}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise errors.BackendDown("git", f"{arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout.strip()


@contextlib.contextmanager
def start(root: pathlib.Path, *, login: Login | None = None) -> Iterator[DevGit]:
    """Serve the repositories below `root` until the end of the block; those of an earlier run are there again."""
    (root / "repositories").mkdir(parents=True, exist_ok=True, mode=0o700)
    host = DevGit(root, login)
    with threaded.serve(functools.partial(_resources, host), tls=_tls(root)) as served:
        host.url = f"https://127.0.0.1:{served.port}"
        for work in (root / "work").glob("*"):  # the port is another one
            host._git(work, "remote", "set-url", "origin", host.url_of(work.name))  # noqa: SLF001 of this module
        yield host


def _tls(root: pathlib.Path) -> ssl.SSLContext:
    authority = certificates.Authority("devgit", now=dt.datetime.now(dt.UTC))
    (root / "ca.crt").write_bytes(authority.pair.certificate)
    authority.server("devgit", ("127.0.0.1", "localhost")).write(root, "server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(root / "server.crt", root / "server.key")
    return tls


@contextlib.asynccontextmanager
async def _resources(host: DevGit) -> AsyncIterator[threaded.Handler]:
    yield functools.partial(_answer, host)


async def _answer(host: DevGit, request: web.BaseRequest) -> web.StreamResponse:
    if host.login and not hmac.compare_digest(request.headers.get("Authorization", "").encode(), host.login.header().encode()):
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="devgit"'})
    match host.faults.get(request.path.strip("/").split("/", 1)[0].removesuffix(".git")):
        case Redirect(base=base):
            return web.Response(status=302, headers={"Location": base + request.path_qs})
        case Status(code=code):
            return web.Response(status=code)
        case Slow(seconds=seconds):
            await asyncio.sleep(seconds)
        case None:
            pass
    return await _backend(host, request)


async def _backend(host: DevGit, request: web.BaseRequest) -> web.StreamResponse:
    """One run of `git http-backend`: CGI (RFC 3875) with both bodies streamed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("git", "http-backend", env=_cgi(host, request), stdin=pipe, stdout=pipe)
    feeding = asyncio.create_task(_feed(request, process.stdin))
    try:
        return await _relay(request, process.stdout)
    except (ConnectionError, asyncio.CancelledError):  # the client has gone
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)  # process.kill() would reap it under asyncio's own watcher
        raise
    finally:
        feeding.cancel()
        await process.wait()


def _cgi(host: DevGit, request: web.BaseRequest) -> dict[str, str]:
    return {
        **ISOLATED,
        "HOME": str(host.root),
        "GIT_PROJECT_ROOT": str(host.root / "repositories"),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": host.login.user if host.login else "",
    }


async def _feed(request: web.BaseRequest, into: asyncio.StreamWriter | None) -> None:
    if into is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for chunk in request.content.iter_chunked(CHUNK):
            into.write(chunk)
            await into.drain()
        into.close()


async def _relay(request: web.BaseRequest, out: asyncio.StreamReader | None) -> web.StreamResponse:
    if out is None:
        return web.Response(status=500)
    response = web.StreamResponse(status=200)
    while line := (await out.readline()).decode().strip():
        name, _, value = line.partition(":")
        if name == "Status":
            response.set_status(int(value.split()[0]))
        else:
            response.headers[name] = value.strip()
    await response.prepare(request)
    while chunk := await out.read(CHUNK):
        await response.write(chunk)
    await response.write_eof()
    return response


def _write(path: pathlib.Path, content: bytes | None) -> None:
    if content is None:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
