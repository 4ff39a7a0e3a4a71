"""References are read from a real Vault, with the project's own identity and nothing found lying around."""

import contextlib
import http.server
import pathlib
import socket
import threading
import traceback
from collections.abc import Iterator

import msgspec
import pytest

from plane import ports
from plane.adapters.secrets import vault as adapter
from plane.domain import errors
from plane.domain.rendering import secrets
from tests.support import vault as support

CANARY = "canary-7f3a-p4ssw0rd"
READ_A = 'path "secret/data/team-a/*" { capabilities = ["read"] }'
NOWHERE = ports.VaultAccess("main", "http://127.0.0.1:1", "secret", ("team-a/",), token=secrets.Secret(b"t0ken-canary"))


def ref(path: str, key: str = "password", version: int = 0) -> secrets.VaultRef:
    return secrets.VaultRef("main", path, key, version)


def read(access: ports.VaultAccess, *refs: secrets.VaultRef, sessions: adapter.Sessions | None = None) -> dict[secrets.VaultRef, bytes]:
    found = adapter.Vault(sessions or adapter.Sessions()).read(access, refs)
    return {ref: value.reveal() for ref, value in found.items()}


def refusal(access: ports.VaultAccess, *refs: secrets.VaultRef, kind: type[errors.PlaneError] = errors.SecretRefused) -> str:
    with pytest.raises(kind) as refused:
        read(access, *refs)
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value.__dict__)
    assert CANARY not in shown
    for credential in (access.token, access.secret_id):
        assert not (credential and credential.reveal()) or credential.reveal().decode() not in shown
    return str(refused.value)


@pytest.fixture(scope="module")
def role(vault: support.DevVault) -> ports.VaultAccess:
    vault.put("team-a/db", password="old", user="app")
    vault.put("team-a/db", password=CANARY, user="app", port=5432)
    vault.put("team-b/db", password=CANARY)
    return vault.role("team-a", READ_A, token_ttl="10m")


def test_values_are_read_by_an_app_role(role: ports.VaultAccess) -> None:
    assert read(role, ref("team-a/db"), ref("team-a/db", "user")) == {ref("team-a/db"): CANARY.encode(), ref("team-a/db", "user"): b"app"}


def test_values_are_read_by_a_token(vault: support.DevVault, role: ports.VaultAccess) -> None:
    assert read(vault.token(READ_A, "team-a-token"), ref("team-a/db")) == {ref("team-a/db"): CANARY.encode()}


def test_a_version_is_pinned(role: ports.VaultAccess) -> None:
    assert read(role, ref("team-a/db", version=1), ref("team-a/db", version=2)) == {
        ref("team-a/db", version=1): b"old",
        ref("team-a/db", version=2): CANARY.encode(),
    }


def test_nothing_is_asked_for_nothing() -> None:
    assert read(NOWHERE) == {}


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (ref("team-b/db"), "Vault denied access; its policy must allow read on secret/data/"),
        (ref("team-a/none"), "vault:main/team-a/none: there is nothing at this path of mount secret"),
        (ref("team-a/db", version=9), "vault:main/team-a/db: there is nothing at this path in version 9"),
        (ref("team-a/db", "passwd"), r"there is no key 'passwd' at this path \(keys: password, port, user\)"),
        (ref("team-a/db", "port"), "the value of key 'port' is no text; store it as a string"),
    ],
    ids=["denied", "absent", "no version", "no key", "number"],
)
def test_what_cannot_be_read_is_said_plainly(role: ports.VaultAccess, wanted: secrets.VaultRef, sentence: str) -> None:
    with pytest.raises(errors.SecretRefused, match=sentence):
        read(role, wanted)
    refusal(role, wanted)


def test_a_deleted_version_is_refused(vault: support.DevVault, role: ports.VaultAccess) -> None:
    version = vault.put("team-a/gone", password=CANARY)
    vault.call("secret/delete/team-a/gone", versions=[version])
    assert "this version was deleted; undelete it" in refusal(role, ref("team-a/gone"))
    vault.http.put("secret/destroy/team-a/gone", json={"versions": [version]}).raise_for_status()
    refusal(role, ref("team-a/gone"))


@pytest.mark.parametrize(
    "path",
    [
        "team-a/../team-b/db",
        "team-a/./db",
        "team-a//db",
        "/team-a/db",
        "team-a/",
        "team-a/%2e%2e/x",
        "team-a/a\nb",
        "team-a/a\x00b",
        "team-a\\db",
        "",
    ],
)
def test_a_path_that_is_not_plain_is_refused_before_vault_is_asked(path: str) -> None:
    assert "the path must be plain" in refusal(NOWHERE, ref(path))


@pytest.mark.parametrize("path", ["team-b/db", "team-ab/db", "team-A/db"])
def test_a_path_outside_the_prefixes_is_refused_before_vault_is_asked(path: str) -> None:
    assert "it may read below: team-a/" in refusal(NOWHERE, ref("team-a/ok"), ref(path))


def test_without_prefixes_nothing_may_be_read() -> None:
    assert "it may read below: none" in refusal(support.limited(NOWHERE), ref("team-a/db"))


@pytest.mark.parametrize("prefix", ["team-a", "team-a/", "", "team-a/db"])
def test_a_path_inside_a_prefix_may_be_read(role: ports.VaultAccess, prefix: str) -> None:
    assert read(support.limited(role, prefix), ref("team-a/db"))


def test_a_wrong_secret_id_is_refused_even_after_the_right_one_was_used(role: ports.VaultAccess) -> None:
    sessions = adapter.Sessions()
    read(role, ref("team-a/db"), sessions=sessions)
    wrong = msgspec.structs.replace(role, secret_id=secrets.Secret(b"wr0ng"))
    with pytest.raises(errors.SecretRefused, match="the AppRole log-in was refused"):
        read(wrong, ref("team-a/db"), sessions=sessions)


def logins(vault: support.DevVault) -> int:
    return len(vault.http.request("LIST", "auth/token/accessors").raise_for_status().json()["data"]["keys"])


def test_one_log_in_serves_until_its_token_nears_its_end(vault: support.DevVault, role: ports.VaultAccess) -> None:
    now = [1000.0]
    sessions = adapter.Sessions(monotonic=lambda: now[0])
    before = logins(vault)
    read(role, ref("team-a/db"), sessions=sessions)
    read(role, ref("team-a/db"), sessions=sessions)
    assert logins(vault) == before + 1
    now[0] += 600 - adapter.EARLY_S + 1
    read(role, ref("team-a/db"), sessions=sessions)
    assert logins(vault) == before + 2


def test_a_revoked_token_is_replaced(vault: support.DevVault, role: ports.VaultAccess) -> None:
    sessions = adapter.Sessions()
    read(role, ref("team-a/db"), sessions=sessions)
    vault.http.put("sys/leases/revoke-prefix/auth/approle/login").raise_for_status()
    assert read(role, ref("team-a/db"), sessions=sessions) == {ref("team-a/db"): CANARY.encode()}


def test_nothing_of_the_environment_is_used(
    vault: support.DevVault, role: ports.VaultAccess, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    root = vault.http.headers["X-Vault-Token"]
    (tmp_path / ".vault-token").write_text(root)
    for name, value in {
        "VAULT_TOKEN": root,
        "VAULT_ADDR": vault.address,
        "HOME": str(tmp_path),
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    nobody = msgspec.structs.replace(role, token=secrets.Secret(b""), role_id="", secret_id=None)
    assert "denied" in refusal(nobody, ref("team-b/db"))
    assert read(role, ref("team-a/db"))


class _Answers(http.server.BaseHTTPRequestHandler):
    """Sends what the test told it to and remembers the tokens that came."""

    status, headers_out, body = 200, {}, b""  # type: ignore[var-annotated]
    tokens: list[str | None] = []  # noqa: RUF012 - one list per subclass

    def do_GET(self) -> None:
        self.tokens.append(self.headers["X-Vault-Token"])
        self.send_response(self.status)
        for name, value in self.headers_out.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[tuple[str, list[str | None]]]:
    tokens: list[str | None] = []
    handler = type("Answers", (_Answers,), {"status": status, "headers_out": headers, "body": body, "tokens": tokens})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", tokens
        server.shutdown()
        thread.join()


def at(address: str) -> ports.VaultAccess:
    return msgspec.structs.replace(NOWHERE, address=address)


def test_a_redirect_does_not_get_the_token() -> None:
    with (
        answering(200, b'{"data": {"data": {"password": "x"}}}') as (elsewhere, tokens),
        answering(307, Location=elsewhere) as (address, _),
    ):
        assert "answered a redirect" in refusal(at(address), ref("team-a/db"), kind=errors.BackendDown)
    assert tokens == []


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (200, b"<html>", "answered a redirect or"),
        (200, b"[]", "something that Vault does not say"),
        (200, b'{"data": 5}', "something that Vault does not say"),
        (503, b"{}", "answered VaultDown"),
        (500, CANARY.encode(), "answered InternalServerError"),
        (429, b"", "answered RateLimitExceeded"),
    ],
    ids=["html", "list", "shape", "sealed", "error", "busy"],
)
def test_an_answer_that_makes_no_sense_is_a_backend_that_is_down(status: int, body: bytes, sentence: str) -> None:
    with answering(status, body) as (address, _):
        assert sentence in refusal(at(address), ref("team-a/db"), kind=errors.BackendDown)


def test_a_vault_that_is_not_there_is_down() -> None:
    assert "could not be reached" in refusal(NOWHERE, ref("team-a/db"), kind=errors.BackendDown)


def test_a_vault_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        access = at(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(errors.BackendDown, match="did not answer in time"):
            read(access, ref("team-a/db"), sessions=adapter.Sessions(timeout_s=0.2))


def test_a_session_shows_no_token(role: ports.VaultAccess) -> None:
    sessions = adapter.Sessions()
    read(role, ref("team-a/db"), sessions=sessions)
    assert "hvs." not in repr(sessions.__dict__)
