"""What identity providers answer that the certified one of the other tests does not: by turns of RFC 8628, and by malice."""

import contextlib
import datetime as dt
import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from plane.adapters.trusting import memory, oidc
from plane.domain import errors
from plane.domain.granting import login

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)


class FarEnd(http.server.ThreadingHTTPServer):
    """A provider of this machine that answers whatever it is asked with `said`; only its discovery document is sound."""

    said: bytes = b"{}"
    asked = 0

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(http.server.BaseHTTPRequestHandler):
    server: FarEnd

    def do_GET(self) -> None:
        names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "jwks_uri")
        document = {"issuer": self.server.issuer} | {name: f"{self.server.issuer}/{name}" for name in names}
        self._answer(json.dumps(document).encode() if "openid-configuration" in self.path else self.server.said)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.server.said)

    def _answer(self, body: bytes) -> None:
        self.server.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    with FarEnd(("127.0.0.1", 0), _Answers) as end:
        thread = threading.Thread(target=end.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield end
        end.shutdown()
        thread.join()


def house(end: FarEnd) -> login.Provider:
    return login.Provider(name="house", issuer=end.issuer, client_id="plane")


@pytest.mark.parametrize(("error", "slower"), [("authorization_pending", False), ("slow_down", True)])
def test_a_device_waits_and_more_slowly_where_the_provider_says_so(far_end: FarEnd, error: str, *, slower: bool) -> None:
    far_end.said = json.dumps({"error": error}).encode()
    assert oidc.Oidc().poll(house(far_end), "code", now=NOW) == login.Waiting(slower=slower)


@pytest.mark.parametrize(
    ("error", "sentence"), [("expired_token", "nobody typed the code"), ("access_denied", "was refused at the provider")]
)
def test_a_device_hears_why_there_is_nothing_to_wait_for(far_end: FarEnd, error: str, sentence: str) -> None:
    far_end.said = json.dumps({"error": error}).encode()
    with pytest.raises(login.DeviceRefused, match=sentence):
        oidc.Oidc().poll(house(far_end), "code", now=NOW)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 200_000,
        b'{"error": []}',
        b'{"error": {"a": 1}}',
        b'{"id_token": 7}',
        b'{"id_token": "a.b.c"}',
        b"\xff",
        b"x" * 300_000,
    ],
    ids=lambda said: said[:20],
)
def test_nothing_that_a_provider_says_is_more_than_a_refusal(far_end: FarEnd, said: bytes) -> None:
    far_end.said = said
    source = oidc.Oidc()
    for ask in (
        lambda: source.poll(house(far_end), "code", now=NOW),
        lambda: source.device(house(far_end)),
        lambda: source.verify(house(far_end), "e30.e30.x", audience="plane", now=NOW),
        lambda: source.look(house(far_end)),
    ):
        with contextlib.suppress(login.Refused, errors.BackendDown):
            ask()


def test_a_provider_whose_keys_nobody_can_read_is_not_asked_by_everybody(far_end: FarEnd) -> None:
    far_end.said = b"no keys"
    source = oidc.Oidc()
    for _ in range(3):
        with pytest.raises(errors.BackendDown):
            source.verify(house(far_end), "e30.e30.x", audience="plane", now=NOW)
    assert far_end.asked == 2  # its discovery document, and its keys


class Remote:
    """Something that is fetched."""

    def __init__(self) -> None:
        self.clock, self.asked, self.away = 0.0, 0, False
        self.memory: memory.Memory[int] = memory.Memory(lambda: self.clock)

    def fetch(self) -> int:
        self.asked += 1
        if self.away:
            raise errors.BackendDown("house", "away")
        return self.asked

    def recall(self, at: float) -> int | None:
        self.clock = at
        try:
            return self.memory.recall("key", self.fetch, fresh_s=600)
        except errors.BackendDown:
            return None


def test_what_is_fresh_is_not_fetched() -> None:
    remote = Remote()
    assert [remote.recall(at) for at in (0, 600, 601)] == [1, 1, 2]


def test_what_is_old_holds_for_an_hour_more_while_the_far_end_is_away() -> None:
    remote = Remote()
    remote.recall(0)
    remote.away = True
    assert [remote.recall(at) for at in (601, 4200, 4201)] == [1, 1, None]
    remote.away = False
    assert remote.recall(4210) == 4


def test_whoever_asks_soon_after_a_failure_does_not_wait_for_another() -> None:
    remote = Remote()
    remote.away = True
    assert [(remote.recall(at), remote.asked) for at in (0, 1, 4.9, 5)] == [(None, 1), (None, 1), (None, 1), (None, 2)]
