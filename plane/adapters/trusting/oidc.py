"""Identity providers over HTTPS: discovery, keys, codes for tokens. One memory per process; nothing of anybody's log-in stays here."""

import datetime as dt
import json
import pathlib
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib import parse

import httpx
import msgspec

from plane.adapters import reach
from plane.adapters.trusting import jose, memory
from plane.domain import errors
from plane.domain.granting import login, providers, workloads
from plane.domain.rendering import secrets

TIMEOUT_S = 10.0
MOST_BYTES = 256 * 1024
DISCOVERY_S = 3600.0
KEYS_S = 600.0
AGAIN_S = 30.0  # an unknown kid sends us to the provider no more often
SLOW_DOWN = "slow_down"
PENDING = frozenset({"authorization_pending", SLOW_DOWN})
Json = dict[str, Any]
Source = login.Provider | login.TrustRule
OF_DOCUMENT = (providers.Declared, workloads.Declared)  # whose addresses anybody may have written
Key = tuple[str, ...]


class _Renewal(msgspec.Struct, frozen=True):
    """What a log-in leaves to ask the provider again with; it is kept under the master key alone."""

    token: str
    nonce: str


class Oidc:
    """All of an installation's providers. Thread-safe.

    Those of the operator's file are reached wherever they are; those of documents only at public addresses and in `allowed`.
    """

    def __init__(self, allowed: tuple[reach.Network, ...] = (), *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._way = reach.Reach(allowed, "identity provider")
        self._discovered: memory.Memory[Json] = memory.Memory(monotonic)
        self._keys: memory.Memory[tuple[Json, ...]] = memory.Memory(monotonic)

    def address(self, provider: login.Provider, wish: providers.LoginWish) -> str:
        """Where the browser goes: the code flow with PKCE (RFC 7636), state and nonce."""
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": wish.back,
            "scope": " ".join(login.scopes(provider)),
            "state": wish.state,
            "nonce": wish.nonce,
            "code_challenge": login.challenge(wish.verifier),
            "code_challenge_method": "S256",
            **({"prompt": "consent"} if provider.refresh and provider.refresh_scope else {}),  # OpenID Connect Core, 11
            **provider.parameters,
        }
        query = {name: value for name, value in query.items() if value}
        return f"{self._endpoint(provider, 'authorization_endpoint')}?{parse.urlencode(query)}"

    def redeem(self, provider: login.Provider, code: str, wish: providers.LoginWish, *, now: dt.datetime) -> login.Person:
        """Who came back with the code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": wish.back, "code_verifier": wish.verifier}
        said = self._ask(provider, form)
        claims = self._id_token(provider, said, now)
        if claims.get("nonce") != wish.nonce:
            raise login.Refused("nonce is another log-in's")
        return _renewable(provider, login.person(claims, provider), said, _Renewal("", wish.nonce))

    def device(self, provider: login.Provider) -> providers.Device:
        """Begin a log-in on another machine (RFC 8628)."""
        form = {"client_id": provider.client_id, "scope": " ".join(login.scopes(provider))} | self._secret(provider)
        status, said = self._post(provider, self._endpoint(provider, "device_authorization_endpoint"), form)
        try:
            return msgspec.convert(said, providers.Device)
        except msgspec.ValidationError as e:
            raise errors.BackendDown(provider.name, f"the provider answered {status} to a device's log-in") from e

    def poll(self, provider: login.Provider, device_code: str, *, now: dt.datetime) -> login.Person | login.Waiting:
        """Who has logged in with the device's code; DeviceRefused when nobody will any more."""
        said = self._ask(provider, {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device_code})
        error = str(said.get("error", ""))
        if error in login.DEVICE_ENDS:
            raise login.DeviceRefused(error)
        if error in PENDING:
            return login.Waiting(slower=error == SLOW_DOWN)
        return _renewable(provider, login.person(self._id_token(provider, said, now), provider), said, _Renewal("", ""))

    def renew(self, provider: login.Provider, renewal: secrets.Secret, *, now: dt.datetime) -> login.Person:
        """Who it is now, and what to ask with next time; Ended when the provider vouches for them no more (RFC 6749, 6)."""
        kept = msgspec.json.decode(renewal.reveal(), type=_Renewal)
        said = self._ask(provider, {"grant_type": "refresh_token", "refresh_token": kept.token})
        if "error" in said and said["error"] != "invalid_grant":
            raise errors.BackendDown(provider.name, f"the provider said {str(said['error'])[:50]!r}")
        try:
            claims = self._id_token(provider, said, now)
            person = login.person(claims, provider)
        except login.Refused as e:
            raise login.Ended(e.reason) from e
        if claims.get("nonce", kept.nonce) != kept.nonce:  # OpenID Connect Core, 12.2
            raise login.Ended("nonce is another log-in's")
        return _renewable(provider, person, said, kept)

    def forget(self, provider: login.Provider, renewal: secrets.Secret) -> None:
        """Revoke it, where the provider takes that (RFC 7009)."""
        if "revocation_endpoint" not in self._discover(provider):
            return
        kept = msgspec.json.decode(renewal.reveal(), type=_Renewal)
        form = {"token": kept.token, "token_type_hint": "refresh_token", "client_id": provider.client_id, **self._secret(provider)}
        self._send(provider, "POST", self._endpoint(provider, "revocation_endpoint"), form)

    def verify(self, source: Source, token: str, *, audience: str, now: dt.datetime) -> Json:
        """The claims of a token that the issuer made for the audience; Refused."""
        claims = self._signed(source, token, kinds=("", "jwt"))
        why = login.registered(claims, issuer=source.issuer, audience=audience, now=now)
        if not why and isinstance(source, login.Client):
            why = login.stray(claims, source)
        if why:
            raise login.Refused(why)
        return claims

    def look(self, provider: login.Provider) -> providers.Seen:
        """What the provider says of itself now; whatever was kept of it is forgotten."""
        self._discovered.forget(_kept_as(provider))
        self._keys.forget(_kept_as(provider))
        found = self._discover(provider)
        try:
            seen = msgspec.convert(found, providers.Seen)
            return msgspec.structs.replace(seen, keys=len(self._keys_of(provider)))
        except (msgspec.ValidationError, login.Refused) as e:
            raise errors.BackendDown(provider.name, f"the provider's documents are none that can be read: {e}") from e

    def logged_out(self, provider: login.Provider, token: str, *, now: dt.datetime) -> tuple[str, str, str]:
        """Subject, session and id of a logout token (Back-Channel Logout 1.0, 2.6); one of the first two may be empty."""
        claims = self._signed(provider, token, kinds=("", "jwt", "logout+jwt"))
        events = claims.get("events")
        if "nonce" in claims or not isinstance(events, dict) or "http://schemas.openid.net/event/backchannel-logout" not in events:
            raise login.Refused("it is no logout token")
        sub, sid, jti = (claims.get(name, "") for name in ("sub", "sid", "jti"))
        if not all(isinstance(one, str) for one in (sub, sid, jti)) or not (sub or sid) or not jti:
            raise login.Refused("it names nobody")
        if why := login.registered({**claims, "sub": sub or sid}, issuer=provider.issuer, audience=provider.client_id, now=now):
            raise login.Refused(why)
        return sub, sid, jti

    def _id_token(self, provider: login.Provider, said: Json, now: dt.datetime) -> Json:
        token = said.get("id_token")
        if not isinstance(token, str):
            raise login.Refused(f"the provider said {str(said.get('error', 'nothing'))[:50]!r}")
        return self.verify(provider, token, audience=provider.client_id, now=now)

    def _signed(self, source: Source, token: str, *, kinds: tuple[str, ...]) -> Json:
        try:
            return jose.verify(token, self._keys_of(source), algorithms=source.algorithms, kinds=kinds)
        except jose.Unknown:
            return jose.verify(token, self._keys_of(source, older_s=AGAIN_S), algorithms=source.algorithms, kinds=kinds)

    def _ask(self, provider: login.Provider, form: Mapping[str, str]) -> Json:
        sent = {**form, "client_id": provider.client_id, **self._secret(provider)}
        status, said = self._post(provider, self._endpoint(provider, "token_endpoint"), sent)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise errors.BackendDown(provider.name, f"the provider answered {status}")
        return said

    def _endpoint(self, source: Source, name: str) -> str:
        found = self._discover(source).get(name)
        parts = parse.urlsplit(found) if isinstance(found, str) else None
        if parts is None or not (parts.scheme == "https" or (parts.scheme == "http" and login.is_own(parts.hostname or ""))):
            raise errors.BackendDown(source.name, f"the provider's discovery document names no {name} over https")
        return parse.urlunsplit(parts)

    def _discover(self, source: Source) -> Json:
        def fetch() -> Json:
            found = _json(self._get(source, f"{source.issuer.rstrip('/')}/.well-known/openid-configuration"), source.name)
            if found.get("issuer") != source.issuer:
                raise errors.BackendDown(
                    source.name, f"the provider calls itself {str(found.get('issuer'))[:100]!r}, not {source.issuer!r}"
                )
            return found

        return self._discovered.recall(_kept_as(source), fetch, fresh_s=DISCOVERY_S)

    def _keys_of(self, source: Source, *, older_s: float = KEYS_S) -> tuple[Json, ...]:
        def fetch() -> tuple[Json, ...]:
            try:
                return jose.keys_of(self._get(source, self._endpoint(source, "jwks_uri")))
            except login.Refused as e:
                raise errors.BackendDown(source.name, e.reason) from e

        return self._keys.recall(_kept_as(source), fetch, fresh_s=older_s)

    def _secret(self, provider: login.Provider) -> dict[str, str]:
        if isinstance(provider, providers.Declared):
            return {"client_secret": provider.secret.reveal().decode()} if provider.secret else {}
        if not provider.client_secret_file:
            return {}
        try:
            return {"client_secret": pathlib.Path(provider.client_secret_file).read_text().strip()}
        except (OSError, UnicodeDecodeError) as e:
            raise errors.BackendDown(provider.name, "its clientSecretFile cannot be read") from e

    def _get(self, source: Source, url: str) -> bytes:
        status, body = self._send(source, "GET", url, {})
        if status != httpx.codes.OK:
            raise errors.BackendDown(source.name, f"{url} answered {status}")
        return body

    def _post(self, provider: login.Provider, url: str, form: Mapping[str, str]) -> tuple[int, Json]:
        status, body = self._send(provider, "POST", url, form)
        return status, _json(body, provider.name)

    def _send(self, source: Source, method: str, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """No redirect, no proxy of the environment, no endless answer."""
        place = self._way.pinned(url) if isinstance(source, OF_DOCUMENT) else reach.Pinned(url, {}, {})
        headers, said = {"Accept": "application/json", **place.headers}, dict(place.extensions)
        try:
            with (
                httpx.Client(verify=_trust(source), timeout=TIMEOUT_S, trust_env=False) as client,
                client.stream(method, place.url, data=form or None, headers=headers, extensions=said) as answer,
            ):
                body = b""
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise errors.BackendDown(source.name, f"{url} answers more than {MOST_BYTES} bytes")
                return answer.status_code, body
        except (httpx.HTTPError, OSError) as e:
            raise errors.BackendDown(source.name, f"the provider cannot be reached: {str(e)[:200] or type(e).__name__}") from e


def _renewable(provider: login.Provider, person: login.Person, said: Json, before: _Renewal) -> login.Person:
    """A provider that names no new refresh token means the one before (RFC 6749, 6)."""
    token = said.get("refresh_token", before.token)
    if not provider.refresh or not isinstance(token, str) or not token:
        return person
    kept = msgspec.json.encode(msgspec.structs.replace(before, token=token))
    return msgspec.structs.replace(person, renewal=secrets.Secret(kept))


def _trust(source: Source) -> ssl.SSLContext:
    if isinstance(source, OF_DOCUMENT):
        return ssl.create_default_context(cadata=source.ca_pem or None)
    return ssl.create_default_context(cafile=source.ca_file or None)


def _kept_as(source: Source) -> Key:
    """What one source is told of an issuer, over certificates that it trusts, counts for no other."""
    trusted = source.ca_pem if isinstance(source, OF_DOCUMENT) else source.ca_file
    return type(source).__qualname__, type(source).__module__, source.name, source.issuer, trusted


def _json(body: bytes, name: str) -> Json:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as e:
        raise errors.BackendDown(name, "the provider does not answer in JSON") from e
    return found if isinstance(found, dict) else {}
