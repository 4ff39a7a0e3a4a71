"""Vault and OpenBao: KV version 2 through hvac, one log-in per access."""

import contextlib
import hashlib
import os
import pathlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import hvac
import hvac.exceptions
import msgspec
import requests
import requests.adapters

from plane import ports
from plane.domain import errors
from plane.domain.rendering import secrets

TIMEOUT_S = 10.0  # one answer; a Vault that takes longer is down for a render
READ_ALL_S = 30.0  # all answers of one call
FOREVER_S = 3600.0  # a token without an end is fetched again after this
EARLY_S = 30.0  # a token is given up this long before it ends, so that it outlives the call it is used for
CONTROL = frozenset(chr(code) for code in (*range(32), 127))


class _Auth(msgspec.Struct):
    client_token: str
    lease_duration: int = 0

    def __repr__(self) -> str:
        return "_Auth(…)"


class _LogIn(msgspec.Struct):
    auth: _Auth


class _Version(msgspec.Struct):
    data: dict[str, Any] | None  # None: deleted

    def __repr__(self) -> str:
        return "_Version(…)"


class _Read(msgspec.Struct):
    data: _Version


class Sessions:
    """Log-ins. Tokens are kept in memory until shortly before they end, one per address, namespace and credential. Thread-safe."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._salt = os.urandom(16)
        self._lock = threading.Lock()
        self._tokens: dict[bytes, tuple[secrets.Secret, float]] = {}

    @contextlib.contextmanager
    def client(self, access: ports.VaultAccess) -> Iterator[hvac.Client]:
        """A client that is logged in. Vault's answers become SecretRefused or BackendDown, quoting nothing Vault said."""
        with _translated(access), _ca_file(access.ca_pem) as ca_file, _session(ca_file) as session:
            client = hvac.Client(
                url=access.address,
                token="",  # None would let hvac look into the environment and the home directory
                cert=(),
                timeout=self._timeout_s,
                allow_redirects=False,  # a redirect would carry the token to another host
                session=session,
                namespace=access.namespace or None,
            )
            client.token = self._token(access, client)
            try:
                yield client
            except hvac.exceptions.Forbidden:
                self.forget(access)
                raise

    def cached(self, access: ports.VaultAccess) -> bool:
        """Whether a token is at hand that Vault may have revoked since."""
        with self._lock:
            return self._key(access) in self._tokens

    def _token(self, access: ports.VaultAccess, client: hvac.Client) -> str:
        if access.token is not None:
            return access.token.reveal().decode()
        key = self._key(access)
        with self._lock:
            kept = self._tokens.get(key)
        if kept is not None and self._monotonic() < kept[1]:
            return kept[0].reveal().decode()
        return self._log_in(access, client, key)

    def _log_in(self, access: ports.VaultAccess, client: hvac.Client, key: bytes) -> str:
        secret_id = access.secret_id.reveal().decode() if access.secret_id else ""
        try:
            answer = client.auth.approle.login(access.role_id, secret_id, use_token=False)
        except (hvac.exceptions.InvalidRequest, hvac.exceptions.Forbidden):
            raise errors.SecretRefused(
                "the AppRole log-in was refused; check role_id and secret_id, and whether the secret_id has expired",
                where=_where(access),
            ) from None
        auth = msgspec.convert(answer, _LogIn).auth
        ends = self._monotonic() + (auth.lease_duration or FOREVER_S) - EARLY_S
        with self._lock:
            self._tokens[key] = (secrets.Secret(auth.client_token.encode()), ends)
        return auth.client_token

    def forget(self, access: ports.VaultAccess) -> None:
        """Drop the token that Vault did not accept, so that the next call logs in."""
        with self._lock:
            self._tokens.pop(self._key(access), None)

    def _key(self, access: ports.VaultAccess) -> bytes:
        """The credential is part of it: who knows a role's name alone must not get the token of who knows its secret_id."""
        secret_id = access.secret_id.reveal() if access.secret_id else b""
        parts = (access.address.encode(), access.namespace.encode(), access.role_id.encode(), secret_id)
        return hashlib.blake2b(b"\0".join(parts), key=self._salt).digest()


class Vault:
    """`ports.SecretBackend`. Sync, thread-safe."""

    def __init__(self, sessions: Sessions, *, read_all_s: float = READ_ALL_S) -> None:
        self._sessions = sessions
        self._read_all_s = read_all_s

    def read(self, access: ports.VaultAccess, refs: Iterable[secrets.VaultRef]) -> Mapping[secrets.VaultRef, secrets.Secret]:
        """Every reference's value; one request per path and version, all paths checked before the first."""
        wanted = sorted(set(refs))
        for ref in wanted:
            check_path(access, ref)
        if not wanted:
            return {}
        kept = self._sessions.cached(access)
        try:
            return self._read_all(access, wanted)
        except errors.SecretRefused:
            if not kept or self._sessions.cached(access):
                raise
            return self._read_all(access, wanted)  # the kept token may have been revoked: once more with a new one

    def _read_all(self, access: ports.VaultAccess, wanted: list[secrets.VaultRef]) -> dict[secrets.VaultRef, secrets.Secret]:
        deadline = time.monotonic() + self._read_all_s
        found: dict[tuple[str, int], Mapping[str, Any]] = {}
        with self._sessions.client(access) as client:
            for ref in wanted:
                if time.monotonic() > deadline:
                    raise _down(access, f"{len(wanted)} references took longer than {self._read_all_s:.0f} s")
                if (ref.path, ref.version) not in found:
                    found[ref.path, ref.version] = self._read_one(client, access, ref)
        return {ref: _value(access, ref, found[ref.path, ref.version]) for ref in wanted}

    def _read_one(self, client: hvac.Client, access: ports.VaultAccess, ref: secrets.VaultRef) -> Mapping[str, Any]:
        where = _where(access, ref)
        try:
            answer = client.secrets.kv.v2.read_secret_version(
                ref.path, version=ref.version or None, mount_point=access.mount, raise_on_deleted_version=False
            )
        except hvac.exceptions.InvalidPath:
            version = f" in version {ref.version}" if ref.version else ""
            raise errors.SecretRefused(f"there is nothing at this path{version} of mount {access.mount}", where=where) from None
        except hvac.exceptions.Forbidden:
            self._sessions.forget(access)
            rule = f"its policy must allow read on {access.mount}/data/{ref.path}, and the token must be valid"
            raise errors.SecretRefused(f"Vault denied access; {rule}", where=where) from None
        values = msgspec.convert(answer, _Read).data.data
        if values is None:
            raise errors.SecretRefused("this version was deleted; undelete it or name another version", where=where)
        return values


def check_path(access: ports.VaultAccess, ref: secrets.VaultRef) -> None:
    """Raise SecretRefused unless the path is plain and below one of the project's prefixes.

    HTTP clients fold `..` before they send, and servers decode `%`: neither may reach them.
    """
    segments = ref.path.split("/")
    if CONTROL & set(ref.path) or "%" in ref.path or "\\" in ref.path or {"", ".", ".."} & set(segments):
        raise errors.SecretRefused(
            r"the path must be plain: no empty, `.` or `..` segment, no `%`, `\` or control character", where=_where(access, ref)
        )
    if not any(_below(ref.path, prefix) for prefix in access.prefixes):
        allowed = ", ".join(access.prefixes) or "none"
        raise errors.SecretRefused(f"the project may not read this path; it may read below: {allowed}", where=_where(access, ref))


def _below(path: str, prefix: str) -> bool:
    folder = prefix.strip("/")
    return not folder or path == folder or path.startswith(f"{folder}/")


def _value(access: ports.VaultAccess, ref: secrets.VaultRef, values: Mapping[str, Any]) -> secrets.Secret:
    if ref.key not in values:
        known = ", ".join(sorted(values)) or "none"
        raise errors.SecretRefused(f"there is no key {ref.key!r} at this path (keys: {known})", where=_where(access, ref))
    value = values[ref.key]
    if not isinstance(value, str):
        raise errors.SecretRefused(f"the value of key {ref.key!r} is no text; store it as a string", where=_where(access, ref))
    return secrets.Secret(value.encode())


@contextlib.contextmanager
def _translated(access: ports.VaultAccess) -> Iterator[None]:
    try:
        yield
    except (hvac.exceptions.Forbidden, hvac.exceptions.Unauthorized):
        reason = f"Vault denied access to mount {access.mount}; check the token and its policy"
        raise errors.SecretRefused(reason, where=_where(access)) from None
    except (hvac.exceptions.InvalidRequest, hvac.exceptions.InvalidPath):
        reason = f"Vault does not know what was asked of mount {access.mount}; check its name and kind"
        raise errors.SecretRefused(reason, where=_where(access)) from None
    except hvac.exceptions.VaultError as error:
        raise _down(access, f"answered {type(error).__name__}") from None
    except requests.exceptions.Timeout:
        raise _down(access, "did not answer in time") from None
    except requests.exceptions.SSLError:
        raise _down(access, "its certificate is not trusted; give the access a CA certificate") from None
    except msgspec.ValidationError:
        reason = "answered a redirect or something that Vault does not say; give the address of the active server itself"
        raise _down(access, reason) from None
    except (requests.exceptions.RequestException, OSError):
        raise _down(access, "could not be reached") from None


def _down(access: ports.VaultAccess, reason: str) -> errors.BackendDown:
    return errors.BackendDown("vault", f"{access.address} ({access.alias}): {reason}")


def _where(access: ports.VaultAccess, ref: secrets.VaultRef | None = None) -> str:
    return f"vault:{access.alias}/{ref.path}" if ref else f"vault:{access.alias}"


@contextlib.contextmanager
def _session(ca_file: str) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, .netrc or CA bundle from the environment
        session.verify = ca_file or True
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=0))
        yield session


@contextlib.contextmanager
def _ca_file(pem: str) -> Iterator[str]:
    """A file for the CA, as requests wants it; certificates are public."""
    if not pem:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="plane-ca-") as folder:
        file = pathlib.Path(folder, "ca.pem")
        file.write_text(pem)
        yield str(file)
