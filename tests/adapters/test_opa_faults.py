"""OPA dies, cuts off, stands still or talks nonsense at every moment of a query: never a pass, and what comes next is answered.

A real OPA answers; between it and its client each connection goes through a relay that does harm at one moment.
"""

import contextlib
import os
import re
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from plane import config
from plane.adapters.judging import opa, opa_files, opa_pool
from plane.domain.judging import policy

CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
ALWAYS = 1000
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
CREDENTIALS = struct.Struct("3i")  # of SO_PEERCRED: process, user, group


Harm = Callable[[bytes, socket.socket], bytes]  # what goes on of a piece; the socket leads to OPA


class Relay:
    """Stands on every connection. `asked` harms a query on its way, `answered` its answer, so many `times`; then nothing does."""

    def __init__(self) -> None:
        self.asked: Harm = whole
        self.answered: Harm = whole
        self.times = ALWAYS
        self.ends = threading.Event()  # cleared, a harmed answer stays without its end
        self.ends.set()

    def join(self, path: str) -> socket.socket:
        """The client's end of a connection to the OPA that listens there."""
        ours, theirs = socket.socketpair()
        server = socket.socket(socket.AF_UNIX)
        server.connect(path)
        threading.Thread(target=self._pass, args=(theirs, server), daemon=True).start()
        return ours

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        """A harmed answer is the last."""
        with contextlib.suppress(OSError), client, server:
            while text := message(client):
                harms = text.startswith(b"POST") and self.times > 0
                self.times -= harms
                server.sendall(self.asked(text, server) if harms else text)
                answer = message(server)
                client.sendall(self.answered(answer, server) if harms else answer)
                if harms and self.answered is not whole:
                    self.ends.wait(60)
                    return


def message(source: socket.socket) -> bytes:
    """A whole one, or what came of it before the end."""
    text = b""
    while (missing := wanted(text)) and (piece := source.recv(missing)):
        text += piece
    return text


def wanted(text: bytes) -> int:
    """How much more to read of a message."""
    head, end, body = text.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return (int(length[1]) if length else 0) - len(body) if end else 65536


def whole(text: bytes, _: socket.socket) -> bytes:
    return text


def kill(text: bytes, server: socket.socket) -> bytes:
    """OPA is gone before the piece goes on."""
    pid, _, _ = CREDENTIALS.unpack(server.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return text


def kill_after_it_hears(text: bytes, server: socket.socket) -> bytes:
    """With the query before it."""
    server.sendall(text)
    kill(text, server)
    raise ConnectionAbortedError  # whatever it had said by then


def kill_after(count: int) -> Harm:
    """So many bytes of the answer come, and no more."""
    return lambda text, server: kill(text, server)[:count]


def instead(answer: bytes) -> Harm:
    return lambda _text, _server: answer


def http(body: bytes, *, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.fixture(scope="module")
def standing() -> Iterator[Relay]:
    """On every connection that these tests make."""
    made = Relay()

    def connect(self: Any) -> None:  # noqa: ANN401 - urllib3's connection
        self.sock = made.join(str(self._path))
        self.sock.settimeout(self.timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opa_pool._SocketConnection, "connect", connect)  # noqa: SLF001 - where the wire begins
        yield made


@pytest.fixture
def relay(standing: Relay) -> Relay:
    standing.asked, standing.answered, standing.times = whole, whole, ALWAYS
    standing.ends.set()
    return standing


@pytest.fixture(scope="module")
def engine(standing: Relay) -> Iterator[opa.Opa]:
    with contextlib.closing(opa.Opa(config.program("opa"), opa_files.shipped().base, deadline_s=20)) as found:
        yield found


def rules(name: str) -> policy.PolicyFiles:
    return policy.policy_files(name, {"no.rego": f'package plane.rules.no\n\nviolations contains {{"message": "{name} says no"}}\n'})


def ask(engine: opa.Opa, name: str = "house", *, tenant: str = "acme") -> list[str]:
    context = msgspec.structs.replace(CONTEXT, tenant=tenant)
    return [one.message for one in engine.violations(rules(name), policy.PolicyInput((POD,), context))]


MOMENTS: dict[str, tuple[Harm, Harm]] = {
    "before it hears": (kill, whole),
    "once it has heard": (kill_after_it_hears, whole),
    "before its answer goes on": (whole, kill_after(0)),
    "within the status": (whole, kill_after(9)),
    "within the headers": (whole, kill_after(60)),
    "one byte before the end": (whole, lambda text, server: kill(text, server)[:-1]),
    "when all has been said": (whole, kill),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_opa_that_is_killed_once_is_asked_again_and_at_every_query_is_a_denial(moment: str, engine: opa.Opa, relay: Relay) -> None:
    relay.asked, relay.answered = MOMENTS[moment]
    relay.times = 1
    assert ask(engine) == ["house says no"]
    relay.times = ALWAYS
    if moment == "when all has been said":
        assert ask(engine) == ["house says no"]
    else:
        with pytest.raises(policy.PolicyFailed, match="policy set house: OPA ended before it answered"):
            ask(engine)
    relay.times = 0
    assert ask(engine) == ["house says no"]


NONSENSE = {
    "no HTTP": (b"hello\r\n\r\n", "OPA ended before it answered"),
    "no JSON": (http(b"<html>"), "could not evaluate it: answered something that is not JSON"),
    "half of it": (http(b'{"result": [{"rule": "no"'), "could not evaluate it: answered something that is not JSON"),
    "no UTF-8": (http(b'{"result": "\xff"}'), "could not evaluate it|a rule's result is not an object"),
    "nothing": (http(b""), "OPA ended before it answered"),
    "null": (http(b"null"), "the query is undefined"),
    "a list": (http(b"[]"), "the query is undefined"),
    "an empty object": (http(b"{}"), "the query is undefined"),
    "another result": (http(b'{"result": 7}'), "a rule's result is not an object"),
    "a violation without words": (http(b'{"result": [{"rule": "no", "index": 0, "found": {}}]}'), "gave a result without a message"),
    "a violation of nothing": (
        http(b'{"result": [{"rule": "no", "index": 9, "found": {"message": "x"}}]}'),
        "gave a result without a message",
    ),
    "500": (http(b'{"message": "broken"}', status=b"500 Internal Server Error"), "could not evaluate it: broken"),
    "401": (http(b"", status=b"401 Unauthorized"), "could not evaluate it: it gave no reason"),
    "a redirect": (b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", ""),
}


@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_is_a_denial_that_names_the_set(answer: str, engine: opa.Opa, relay: Relay) -> None:
    said, reason = NONSENSE[answer]
    relay.answered = instead(said)
    with pytest.raises(policy.PolicyFailed, match=f"policy set house: .*({reason})"):
        ask(engine)
    relay.times = 0
    assert ask(engine) == ["house says no"]


@pytest.mark.parametrize("count", [0, 9, 60, -1])
def test_an_answer_that_never_ends_is_a_denial_at_the_deadline(count: int, relay: Relay) -> None:
    relay.answered = lambda text, _: text[:count]
    relay.ends.clear()
    with contextlib.closing(opa.Opa(config.program("opa"), opa_files.shipped().base, deadline_s=1)) as hurried:
        with pytest.raises(policy.PolicyFailed, match="policy set house: no answer within 1 s"):
            ask(hurried)
        relay.ends.set()


def test_an_engine_that_dies_at_every_query_of_one_tenant_is_nobody_elses(engine: opa.Opa, relay: Relay) -> None:
    relay.asked = lambda text, server: kill(text, server) if b'"tenant":"acme"' in text.replace(b" ", b"") else text
    for _ in range(2):
        with pytest.raises(policy.PolicyFailed, match="policy set house: OPA ended before it answered"):
            ask(engine)
        assert ask(engine, "theirs", tenant="globex") == ["theirs says no"]
    assert ask(engine, tenant="globex") == ["house says no"]


@pytest.mark.usefixtures("relay")
def test_an_opa_that_cannot_start_is_a_denial_and_starts_again_when_it_can(engine: opa.Opa, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.check(rules("late"))
    with monkeypatch.context() as broken:
        broken.setattr(engine._pool, "_program", "/bin/false")  # noqa: SLF001 - what it starts from now on
        with pytest.raises(policy.PolicyFailed, match="policy set late: OPA ended before it answered"):
            ask(engine, "late")
    assert ask(engine, "late") == ["late says no"]
