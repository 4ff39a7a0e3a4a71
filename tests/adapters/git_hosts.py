"""Real Git hosts on loopback, well-behaved and hostile: HTTPS through `git http-backend`, SSH through `git upload-pack`."""

import asyncio
import base64
import contextlib
import datetime as dt
import http.server
import ipaddress
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]

USER, PASSWORD = "deploy", "s3cr3t/with+odd=chars"  # of a host that lives for one test


def git(folder: Path, *arguments: str) -> str:
    """Run git with a fixed author and clock; the tests' own repositories only."""
    who = {
        f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "dev"), ("EMAIL", "dev@acme.example"))
    }
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", "-C", str(folder), *arguments], env=environment, check=True, capture_output=True, text=True)  # noqa: S607
    return done.stdout.strip()


class Repository:
    """A working copy whose .git is served; `commit` is a push."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        git(folder, "init", "-q", "-b", "main")

    def commit(self, files: dict[str, str], *, message: str = "change") -> str:
        """Write the files, commit all, return the sha."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.folder, "rev-parse", "HEAD")

    def run(self, *arguments: str) -> str:
        """Any git command in the working copy."""
        return git(self.folder, *arguments)


class Host:
    """What a served repository is reached by."""

    def __init__(self, port: int, ca_pem: str = "") -> None:
        self.port, self.ca_pem = port, ca_pem
        self.requests: list[str] = []

    def url(self, name: str) -> str:
        """An https address below the host."""
        return f"https://localhost:{self.port}/{name}"


def certificate() -> tuple[str, str]:
    """Certificate and key of `localhost`, PEM, its own CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - dt.timedelta(days=1), now + dt.timedelta(days=1)
        )
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    return (
        built.public_bytes(encoding).decode(),
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
    )


@contextlib.contextmanager
def https(folder: Path, answer: Answer | None = None) -> Iterator[Host]:
    """Serve `folder`'s repositories over TLS, or let `answer` say something else to every request."""
    cert, key = certificate()
    (folder / "tls.pem").write_text(cert + key)
    handler = type("Handler", (_Handler,), {"root": folder, "answer": staticmethod(answer or backend)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    host = Host(server.server_port, cert)
    handler.requests = host.requests  # type: ignore[attr-defined]  # a class made for this server
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    root: Path
    answer: Answer
    requests: list[str]

    def _serve(self) -> None:
        self.requests.append(f"{self.command} {self.path}")
        with contextlib.suppress(OSError):  # the client may leave in the middle
            type(self).answer(self)

    do_GET = do_POST = _serve  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        """Quiet."""


def backend(handler: http.server.BaseHTTPRequestHandler) -> None:
    """One request through git's own CGI program; log-in wanted when the repository holds a file `private`."""
    path, _, query = handler.path.partition("?")
    root: Path = handler.root  # type: ignore[attr-defined]  # _Handler's
    name = path.strip("/").split("/")[0]
    if (root / name / "private").exists() and handler.headers.get("Authorization") != f"Basic {login()}":
        plain(handler, 401, {"WWW-Authenticate": 'Basic realm="git"'})
        return
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "PATH_INFO": path.replace(f"/{name}/", f"/{name}/.git/", 1),
        "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": handler.headers.get("Content-Length", ""),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
    }
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)  # noqa: S607
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    plain(handler, int(headers.pop("Status", "200").split()[0]), headers, content)


def plain(handler: http.server.BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes = b"") -> None:
    """A whole answer."""
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(content))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def login() -> str:
    """The Basic value that a private repository wants."""
    return base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@contextlib.contextmanager
def ssh(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Serve `folder` over SSH; gives the address of its root, the client's private key and the known_hosts line."""
    client, server = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    loop = asyncio.new_event_loop()
    keys = asyncssh.import_authorized_keys(client.export_public_key().decode())
    listening = loop.run_until_complete(
        asyncssh.listen("127.0.0.1", 0, server_host_keys=[server], authorized_client_keys=keys, process_factory=_upload, encoding=None)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    port = listening.get_port()
    try:
        hosts = f"[localhost]:{port} {server.export_public_key().decode()}"
        yield f"ssh://git@localhost:{port}{folder}", client.export_private_key().decode(), hosts
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _upload(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """`git-upload-pack 'PATH'` and nothing else."""
    words = (process.command or "").split(" ", 1)
    if words[0] != "git-upload-pack":
        process.exit(1)
        return
    child = await asyncio.create_subprocess_exec("git", "upload-pack", words[1].strip("'"), stdin=-1, stdout=-1)
    asking = asyncio.create_task(_copy(process.stdin, child.stdin))
    await _copy(child.stdout, process.stdout)
    process.exit(await child.wait())
    await asking


async def _copy(source: Any, target: Any) -> None:  # noqa: ANN401  # asyncio's and asyncssh's streams, in either direction
    while content := await source.read(65536):
        target.write(content)
        await target.drain()
    target.write_eof()


async def _end(listening: asyncssh.SSHAcceptor) -> None:
    listening.close()
    await listening.wait_closed()
