"""The far ends of sinks: a syslog server over TLS and an HTTP server over TLS, real sockets on this machine."""

import contextlib
import http.server
import pathlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping

import msgspec

from plane.run import certificates


class Received(msgspec.Struct, frozen=True):
    """One HTTP request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Received], tuple[int, bytes] | tuple[int, bytes, Mapping[str, str]]]  # status, body, and headers besides its length


class FarEnd:
    """What came, and what to answer; `answer` may be changed at any time."""

    def __init__(self, port: int, ca_pem: str) -> None:
        self.port, self.ca_pem = port, ca_pem
        self.requests: list[Received] = []
        self.text = b""  # what syslog got
        self.answer: Answer = lambda _: (200, b"{}")


def trust(folder: pathlib.Path, now: object) -> tuple[ssl.SSLContext, str]:
    """A certificate for localhost, and the authority that signed it."""
    authority = certificates.Authority("far end", now=now)  # type: ignore[arg-type]  # a time
    authority.server("far", ["localhost", "127.0.0.1"]).write(folder, "far")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "far.crt", folder / "far.key")
    return context, authority.pair.certificate.decode()


@contextlib.contextmanager
def http_end(folder: pathlib.Path, now: object) -> Iterator[FarEnd]:
    """Takes requests of any path and method."""
    context, ca_pem = trust(folder, now)

    class Handler(http.server.BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got = Received(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            status, text, *more = end.answer(got)
            if status < 300:
                end.requests.append(got)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **(more[0] if more else {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_GET = do_HEAD = do_POST = do_PUT = _take  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        end = FarEnd(server.server_address[1], ca_pem)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield end
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def syslog_end(folder: pathlib.Path, now: object) -> Iterator[FarEnd]:
    """Reads to the orderly end of every connection, and answers it."""
    context, ca_pem = trust(folder, now)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        end = FarEnd(listening.getsockname()[1], ca_pem)
        thread = threading.Thread(target=_accept, args=(listening, context, end), daemon=True)
        thread.start()
        yield end
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listening: socket.socket, context: ssl.SSLContext, end: FarEnd) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        with plain, contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
            got = b""
            while piece := secured.recv(65536):
                got += piece
            end.text += got
            secured.unwrap()
