"""Identity providers as operators name them, and what a provider's claims make of somebody. Signatures are checked elsewhere."""

import base64
import datetime as dt
import hashlib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from plane.domain import errors
from plane.domain.granting import conditions
from plane.domain.reading import addresses
from plane.domain.rendering import secrets

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)  # none with a shared secret
LEEWAY = dt.timedelta(seconds=60)  # clocks of providers differ by so much
LONGEST = dt.timedelta(hours=24)  # a token of a provider that claims to live longer is no log-in
MOST_GROUPS = 500
LOCAL = "local"  # what tokens and sessions that a password began have as their provider
LONGEST_TEXT = 255
OWN_PARAMETERS = frozenset(
    {"response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "request", "request_uri"}
    | {"code_challenge", "code_challenge_method"}
)
DEVICE_ENDS = {"expired_token": "nobody typed the code in time", "access_denied": "the log-in was refused at the provider"}  # RFC 8628, 3.5
Text = Annotated[str, msgspec.Meta(max_length=1000)]
Words = Annotated[tuple[Text, ...], msgspec.Meta(max_length=50)]
Claims = Mapping[str, Any]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")]


class _Setting(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """From the file of an operator."""


class Client(_Setting, frozen=True, kw_only=True):
    """How the plane is a provider's client, and what it makes of claims.

    `groups`: the provider's name of a group → ours; empty: as they are. `require`: claims that must be there and equal.
    `allowed_audiences`: what ID tokens may be for besides our client; empty: anything, where `azp` is our client.
    `refresh`: ask the provider again every `refresh_minutes`, for which log-ins ask for `refresh_scope` and with `parameters`.
    """

    title: Text = ""
    issuer: Text
    client_id: Text
    scopes: Words = ("openid", "profile", "email")
    algorithms: Words = ("RS256",)
    allowed_audiences: Words = ()
    username_claim: Text = "preferred_username"
    groups_claim: Text = "groups"
    groups: Annotated[dict[Text, Text], msgspec.Meta(max_length=MOST_GROUPS)] = {}
    require: Annotated[dict[Text, Text], msgspec.Meta(max_length=50)] = {}
    hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 12
    refresh: bool = False
    refresh_minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 10
    refresh_scope: Text = "offline_access"
    parameters: Annotated[dict[Text, Text], msgspec.Meta(max_length=20)] = {}


class Provider(Client, frozen=True, kw_only=True):
    """One way to log in. `tenant`: whose people they become; empty: the platform's. `clientSecretFile` empty: a public client."""

    name: Name
    client_secret_file: str = ""
    ca_file: str = ""
    tenant: str = ""


class TrustRule(_Setting, frozen=True, kw_only=True):
    """Which of an issuer's tokens, made for `audience`, become a service's; `claims`: all must be equal, `*` is any text."""

    name: Name
    issuer: str
    audience: str
    claims: dict[str, str]
    service: Name
    tenant: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    ca_file: str = ""
    scopes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 15


class Settings(_Setting, frozen=True, kw_only=True):
    """The whole file. `url`: where people's browsers find the plane; `idle_minutes`: when an unused session ends."""

    url: str = ""
    providers: tuple[Provider, ...] = ()
    trust: tuple[TrustRule, ...] = ()
    local: bool = True  # passwords of local admins count
    idle_minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)] = 60


class Refused(errors.Unauthenticated):
    """A log-in that is none. The caller is told the same words for every reason; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("the log-in was refused", remedy="try again, and ask the platform team to look at the log if it stays so")


class DeviceRefused(Refused):
    """A device's log-in that nobody will end any more. Whoever began it holds its handle, and is told why."""

    def __init__(self, error: str) -> None:
        self.reason = f"the provider said {error}"
        errors.PlaneError.__init__(self, f"{DEVICE_ENDS[error]}; begin again")


class Ended(Refused):
    """The provider vouches for somebody no more, whom it let in before. `reason` is for the log."""


class Waiting(msgspec.Struct, frozen=True):
    """Nobody has typed a device's code yet. `slower`: whoever asks does so too often (RFC 8628, 3.5)."""

    slower: bool


class Person(msgspec.Struct, frozen=True):
    """What claims say of somebody. `sid`: the provider's name of the session, or empty; `renewal`: what to ask again with."""

    subject: str
    name: str
    groups: frozenset[str]
    sid: str = ""
    renewal: secrets.Secret | None = None


def check(found: Settings) -> dict[str, str]:
    """Broken rules by path."""
    problems = {}
    if found.providers and (rule := _address(found.url)):
        problems["url"] = rule
    for n, one in enumerate(found.providers):
        problems |= {f"providers[{n}].{path}": rule for path, rule in check_client(one).items()}
    for n, trusted in enumerate(found.trust):
        problems |= {f"trust[{n}].{path}": rule for path, rule in check_issuer(trusted.issuer, trusted.algorithms).items()}
        wrong = (conditions.network_problem(one) for one in trusted.networks)
        problems |= {f"trust[{n}].networks[{m}]": rule for m, rule in enumerate(wrong) if rule}
        if not any(set(pattern) - {"*"} for pattern in trusted.claims.values()):
            problems[f"trust[{n}].claims"] = "must name at least one claim, such as sub; otherwise everybody at the issuer is trusted"
    problems |= {f"providers[{n}].name": f"{LOCAL} means passwords" for n, one in enumerate(found.providers) if one.name == LOCAL}
    for field in ("providers", "trust"):
        names = [one.name for one in getattr(found, field)]
        problems |= {f"{field}[{n}].name": f"{name} is taken" for n, name in enumerate(names) if name in names[:n]}
    return problems


def check_client(found: Client) -> dict[str, str]:
    """Broken rules by path."""
    problems = check_issuer(found.issuer, found.algorithms)
    if "openid" not in found.scopes:
        problems["scopes"] = "must hold openid, without which there is no ID token"
    if taken := sorted(OWN_PARAMETERS & found.parameters.keys()):
        problems[f"parameters.{taken[0]}"] = "is the plane's own; parameters are further ones, such as prompt or access_type"
    return problems


def scopes(found: Client) -> tuple[str, ...]:
    """What log-ins ask for."""
    return tuple(dict.fromkeys((*found.scopes, *(found.refresh_scope.split() if found.refresh else ()))))


def kept_as(provider: Provider) -> str:
    """What a provider's subjects are kept under: whom another issuer calls the same is somebody else."""
    return f"{provider.name}@{provider.issuer}"


def stray(claims: Claims, provider: Client) -> str:
    """Why an ID token is for somebody else as well, or the empty string (OpenID Connect Core, 3.1.3.7)."""
    listed = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    others = set(listed) - {provider.client_id} - set(provider.allowed_audiences)
    return f"aud also names {min(others)[:100]!r}" if provider.allowed_audiences and others else ""


def registered(claims: Claims, *, issuer: str, audience: str, now: dt.datetime) -> str:
    """Why the claims that every token carries do not hold, or the empty string (RFC 7519, OpenID Connect Core 3.1.3.7)."""
    audiences = claims.get("aud")
    listed = [audiences] if isinstance(audiences, str) else audiences
    if claims.get("iss") != issuer:
        return "iss is another issuer"
    if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed) or audience not in listed:
        return "aud is not this plane"
    if ("azp" in claims or len(listed) > 1) and claims.get("azp") != audience:
        return "azp is another client"
    if not _text(claims.get("sub")):
        return "sub is no text"
    return _times(claims, now)


def _times(claims: Claims, now: dt.datetime) -> str:
    at, slack = now.timestamp(), LEEWAY.total_seconds()
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if value is None and name == "nbf":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1 << 40:
            return f"{name} is no time"
    if claims["exp"] <= at - slack:
        return "it has expired"
    if claims["iat"] > at + slack or claims.get("nbf", 0) > at + slack:
        return "it is not valid yet"
    return "it lives too long" if claims["exp"] - claims["iat"] > LONGEST.total_seconds() else ""


def person(claims: Claims, provider: Provider) -> Person:
    """Who has logged in; Refused when a required claim is not as it must be."""
    for name, wanted in provider.require.items():
        value = claims.get(name)
        if (value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else None) != wanted:
            raise Refused(f"the claim {name} is not {wanted}")
    said = claims.get(provider.groups_claim, [])
    listed = [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or len(listed) > MOST_GROUPS or not all(_text(one) for one in listed):
        raise Refused(f"the claim {provider.groups_claim} is no list of at most {MOST_GROUPS} groups")
    groups = frozenset(provider.groups[one] for one in listed if one in provider.groups) if provider.groups else frozenset(listed)
    sid = claims.get("sid", "")
    return Person(claims["sub"], _label(claims, provider.username_claim), groups, sid if _text(sid) else "")


def fits(pattern: str, value: object) -> bool:
    """Whether a claim is as a rule wants it; truths and whole numbers count as the text that JSON has for them."""
    text = str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else value
    if not isinstance(text, str) or len(text) > LONGEST_TEXT * 4:
        return False
    head, *parts = pattern.split("*")
    if not parts:
        return text == pattern
    at, end = len(head), len(text) - len(parts[-1])
    if at > end or not text.startswith(head) or not text.endswith(parts[-1]):
        return False
    for part in parts[:-1]:  # each at its first place: no pattern of a tenant's makes this go back
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _label(claims: Claims, claim: str) -> str:
    """A name as documents have them, from what the provider says; without anything usable: from the subject."""
    said = claims.get(claim) or claims.get("email") or ""
    words = re.sub(r"[^a-z0-9]+", "-", str(said).partition("@")[0].lower()) if isinstance(said, str) else ""
    return words[:50].strip("-") or f"user-{short(claims['sub'])}"


def challenge(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def short(text: str) -> str:
    """Eight characters that stand for a longer text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def check_issuer(issuer: str, algorithms: Iterable[str]) -> dict[str, str]:
    """Broken rules by path."""
    problems = {"issuer": rule} if (rule := _address(issuer)) else {}
    wrong = sorted(set(algorithms) - ALGORITHMS)
    if wrong or not list(algorithms):
        problems["algorithms"] = f"{', '.join(wrong) or 'none'} cannot be used; known are {', '.join(sorted(ALGORITHMS))}"
    return problems


def _address(url: str) -> str:
    """Why browsers and the plane should not talk to it, or the empty string. Plain HTTP only to one's own machine."""
    parts = addresses.parts(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        return f"{url[:100]!r} is no address; write it as https://login.example"
    return "" if parts.scheme == "https" or is_own(parts.hostname) else "must be https; only one's own machine is reached without"


def comes_back(url: str) -> bool:
    """Whether a browser may be sent there with a code: to a port of its own machine."""
    parts = addresses.parts(url)
    if parts is None or parts.scheme != "http" or not parts.port or parts.username or parts.query:
        return False
    return is_own(parts.hostname or "")


def is_own(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()
