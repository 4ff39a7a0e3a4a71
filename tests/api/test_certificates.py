"""Agents that show a client certificate besides their signature: over real TLS, with an authority of the test's own."""

import asyncio
import datetime as dt
import hashlib
import ipaddress
import pathlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from urllib import parse

import aiohttp
import msgspec
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from plane.adapters import link
from plane.run import certificates, peers
from plane.wire import agent
from tests.support.rest import Api, Tenant, document

Headers = list[tuple[str, str]]
WANTED = "spiffe://plane.example/agent/east"
SECRET = link.new_signing_key()


class Tls(msgspec.Struct, frozen=True):
    """A server that asks for certificates of `authority`, and where an agent finds its own."""

    url: str
    authority: certificates.Authority
    folder: pathlib.Path

    def shown(self, pair: certificates.Pair) -> link.Certificate:
        """The agent's files, with this in them."""
        pair.write(self.folder, "agent")
        return link.Certificate(self.folder / "agent.crt", self.folder / "agent.key")

    def ask(self, certificate: link.Certificate | None, *questions: Callable[[link.Plane], Awaitable[object]]) -> list[object]:
        """What comes of an agent's requests, in a row."""
        return asyncio.run(self._ask(certificate, questions))

    async def _ask(
        self, certificate: link.Certificate | None, questions: tuple[Callable[[link.Plane], Awaitable[object]], ...]
    ) -> list[object]:
        plane = link.connect(self.url, ca_pem=self.authority.pair.certificate.decode(), claim_wait_s=1, certificate=certificate)
        try:
            return [await question(plane) for question in questions]
        finally:
            await plane.close()


@pytest.fixture
def tls(platform: Api, tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Iterator[Tls]:
    authority = certificates.Authority("agents", now=dt.datetime.now(dt.UTC))
    authority.pair.write(tmp_path, "ca")
    authority.server("plane", ["127.0.0.1"]).write(tmp_path, "server")
    made = uvicorn.Config(
        platform.client.app,
        port=0,
        lifespan="off",
        log_config=None,
        ssl_certfile=tmp_path / "server.crt",
        ssl_keyfile=str(tmp_path / "server.key"),
        ssl_ca_certs=str(tmp_path / "ca.crt"),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
        http=peers.behind(getattr(request, "param", ())),
    )
    server = uvicorn.Server(made)
    listening = made.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Tls(f"https://127.0.0.1:{listening.getsockname()[1]}", authority, tmp_path)
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def token(platform: Api, acme: Tenant) -> str:
    return join(platform, WANTED)


def join(platform: Api, wanted: str) -> str:
    spec = platform.get("/clusters/east").json()["spec"]
    changed = platform.put("/clusters/east", document("Cluster", "east", spec | {"agentCertificate": wanted}))
    assert changed.status_code == 200, changed.text
    return str(platform.post("/clusters/east/join").json()["token"])


def enrol(token: str) -> Callable[[link.Plane], Awaitable[object]]:
    public, proof = link.prove(SECRET, token, bytes(32))

    async def work(plane: link.Plane) -> object:
        said = agent.Enrol(join_token=token, proof=proof, signing_key=public, sealing_key=bytes(32))
        plane.credentials = link.credentials(SECRET, await plane.enrol(said))
        return plane.credentials

    return work


async def claim(plane: link.Plane) -> object:
    return await plane.claim(agent.Claim(), most=0)


def refused(tls: Tls, certificate: link.Certificate | None, *questions: Callable[[link.Plane], Awaitable[object]]) -> str:
    with pytest.raises(link.PlaneAway) as said:
        tls.ask(certificate, *questions)
    return str(said.value)


def test_an_agent_with_its_clusters_certificate_joins_and_works(tls: Tls, token: str, platform: Api) -> None:
    _, found = tls.ask(tls.shown(tls.authority.workload(WANTED)), enrol(token), claim)
    assert isinstance(found, agent.Claimed)
    assert platform.get("/clusters/east").json()["status"]["connection"] == "connected"


def test_an_agent_without_the_certificate_is_told_what_is_missing_and_keeps_its_token(tls: Tls, token: str) -> None:
    assert "came without one; give the agent --certificate-file" in refused(tls, None, enrol(token))
    other = tls.shown(tls.authority.workload("spiffe://plane.example/agent/west"))
    assert "spiffe://plane.example/agent/west, which is not what the cluster's spec.agentCertificate" in refused(tls, other, enrol(token))
    [found] = tls.ask(tls.shown(tls.authority.workload(WANTED)), enrol(token))
    assert isinstance(found, link.Credentials)

    async def without(plane: link.Plane) -> object:
        plane.credentials = found
        return await claim(plane)

    assert "came without one" in refused(tls, None, without)


def test_a_certificate_of_another_authority_ends_the_connection(tls: Tls, token: str) -> None:
    foreign = certificates.Authority("agents", now=dt.datetime.now(dt.UTC))
    assert "does not answer" in refused(tls, tls.shown(foreign.workload(WANTED)), enrol(token))


def test_a_certificate_that_was_renewed_on_disk_is_shown_from_the_next_request_on(tls: Tls, token: str) -> None:
    mine = tls.shown(tls.authority.workload("spiffe://plane.example/agent/west"))

    async def renewed(plane: link.Plane) -> object:
        with pytest.raises(link.PlaneAway, match="agent/west"):
            await enrol(token)(plane)
        (tls.folder / "agent.key").write_bytes(b"half a key")
        with pytest.raises(link.PlaneAway, match="cannot be used"):
            await enrol(token)(plane)
        tls.shown(tls.authority.workload(WANTED))
        return await enrol(token)(plane)

    assert tls.ask(mine, renewed)


def test_one_certificate_may_be_wanted_by_its_fingerprint(tls: Tls, platform: Api, acme: Tenant) -> None:
    pair = tls.authority.workload(WANTED)
    shown = x509.load_pem_x509_certificate(pair.certificate).public_bytes(serialization.Encoding.DER)
    token = join(platform, f"sha256:{hashlib.sha256(shown).hexdigest()}")
    assert "spiffe://plane.example/agent/east, which is not" in refused(tls, tls.shown(tls.authority.workload(WANTED)), enrol(token))
    assert tls.ask(tls.shown(pair), enrol(token), claim)


def test_no_header_stands_for_a_certificate(platform: Api, token: str) -> None:
    """A proxy in front that ends TLS hands none over: the server must end it itself."""
    public, proof = link.prove(SECRET, token, bytes(32))
    body = agent.encode(agent.Enrol(join_token=token, proof=proof, signing_key=public, sealing_key=bytes(32)))
    forged = {"X-Forwarded-Client-Cert": f"URI={WANTED}", "X-SSL-Client-Verify": "SUCCESS", "Content-Type": agent.CONTENT_TYPE}
    answer = platform.client.post(f"{agent.PATH}/enrol", content=body, headers=forged)
    assert (answer.status_code, "came without one" in answer.text) == (401, True)


LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ELSEWHERE = (ipaddress.ip_network("192.0.2.0/24"),)


def through(tls: Tls, token: str, headers: Headers, certificate: link.Certificate | None = None) -> object:
    """What comes of joining by way of a proxy that sends these headers."""

    async def ask() -> object:
        trust = ssl.create_default_context(cadata=tls.authority.pair.certificate.decode())
        if certificate:
            certificate.renew(trust)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust), headers=headers) as session:
            return await enrol(token)(link.Plane(session, tls.url, claim_wait_s=1))

    return asyncio.run(ask())


def escaped(tls: Tls) -> str:
    return parse.quote(tls.authority.workload(WANTED).certificate)


@pytest.mark.parametrize("tls", [(), ELSEWHERE], indirect=True)
def test_nobody_but_a_named_proxy_tells_of_a_certificate(tls: Tls, token: str) -> None:
    with pytest.raises(link.PlaneAway, match="came without one"):
        through(tls, token, [("X-Client-Cert", escaped(tls))])


AMBIGUOUS: tuple[list[str], ...] = (
    [],
    ["X-Client-Cert: {}", "X-Client-Cert: {}"],
    ["X-Client-Cert: {}", 'X-Forwarded-Client-Cert: Cert="{}"'],
    ['X-Forwarded-Client-Cert: Cert="{}",Cert="{}"'],
    ['X-Forwarded-Client-Cert: Cert="{}",By=spiffe://x'],
    [f"X-Forwarded-Client-Cert: URI={WANTED}"],
    [f"X-Client-Cert: {WANTED}"],
)
PLAIN = (["X-Client-Cert: {}"], ['X-Forwarded-Client-Cert: Hash=00;Cert="{}";Subject="CN=a,O=b";URI=spiffe://x'])


@pytest.mark.parametrize("tls", [LOOPBACK], indirect=True)
def test_what_a_named_proxy_tells_must_be_one_certificate_and_its_own_is_none(tls: Tls, token: str) -> None:
    own, told = tls.shown(tls.authority.workload(WANTED)), escaped(tls)

    def sent(forms: list[str]) -> Headers:
        return [(name, value) for name, _, value in (form.replace("{}", told).partition(": ") for form in forms)]

    for forms in AMBIGUOUS:
        with pytest.raises(link.PlaneAway, match="came without one"):
            through(tls, token, sent(forms), own)
    assert all(through(tls, token, sent(forms)) for forms in PLAIN)


def test_what_can_be_no_certificate_is_refused_and_an_equal_wish_changes_nothing(platform: Api, acme: Tenant) -> None:
    join(platform, WANTED)
    before = platform.get("/clusters/east").json()
    assert before["spec"]["agentCertificate"] == WANTED
    again = platform.put("/clusters/east", document("Cluster", "east", before["spec"]))
    assert again.json()["status"]["version"] == before["status"]["version"]
    wrong = platform.put("/clusters/east", document("Cluster", "east", {"agentCertificate": "CN=east"}))
    assert (wrong.status_code, "spec.agentCertificate" in wrong.text) == (400, True)
