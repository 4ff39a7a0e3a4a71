"""Identity providers as documents: what one says, the provider that log-ins are made with, and a log-in under way."""

import msgspec

from plane.domain.granting import login
from plane.domain.rendering import secrets

FIELD = "clientSecret"  # the only one of `data`
LONGEST_SECRET = 4096
UNSEEN = frozenset({"title", "refresh_minutes"})  # whoever logged in stays in when only these change


class ProviderSpec(login.Client, frozen=True, kw_only=True, omit_defaults=True):
    """A way to log in. `caPem`: certificates that the provider's must come from; empty: the system's. Without secret: a public client."""

    ca_pem: str = ""
    enabled: bool = True


class Declared(login.Provider, frozen=True, kw_only=True):
    """One that a document declares. `name`: what log-ins go by, `NAME`, or `TENANT.NAME` for a tenant's own; `version`: the document's."""

    version: int
    secret: secrets.Secret | None = None
    ca_pem: str = ""


class LoginWish(msgspec.Struct, frozen=True):
    """One log-in under way. `back`: where the provider sends the browser; the others are random and used once."""

    state: str
    nonce: str
    verifier: str
    back: str


class Device(msgspec.Struct, frozen=True):
    """A log-in that somebody ends on another machine (RFC 8628, 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int = 5
    verification_uri_complete: str = ""


def declare(spec: ProviderSpec, *, name: str, tenant: str, version: int, secret: secrets.Secret | None) -> Declared:
    """The provider that a document declares; `name` and `tenant` are the document's."""
    told = {field: getattr(spec, field) for field in login.Client.__struct_fields__}
    return Declared(**told, name=called(tenant, name), tenant=tenant, version=version, secret=secret, ca_pem=spec.ca_pem)


def called(tenant: str, name: str) -> str:
    """What log-ins go by. No name in an operator's file holds a dot."""
    return f"{tenant}.{name}" if tenant else name


def version(provider: login.Provider) -> int:
    """The document's; 0 of one from the operator's file, which changes with a restart only."""
    return provider.version if isinstance(provider, Declared) else 0


def same_trust(before: ProviderSpec, after: ProviderSpec) -> bool:
    """Whether somebody whom the one let in would be let in by the other as the same."""
    return all(getattr(before, field) == getattr(after, field) for field in ProviderSpec.__struct_fields__ if field not in UNSEEN)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself in its discovery document; `keys`: how many that tokens may be signed with."""

    authorization_endpoint: str = ""
    token_endpoint: str = ""
    device_authorization_endpoint: str = ""
    scopes_supported: tuple[str, ...] = ()
    response_types_supported: tuple[str, ...] = ()
    code_challenge_methods_supported: tuple[str, ...] = ()
    id_token_signing_alg_values_supported: tuple[str, ...] = ()
    keys: int = 0


def unfit(provider: login.Client, seen: Seen) -> tuple[str, ...]:
    """Why log-ins will fail at a provider that says so of itself; of what it does not say, nothing."""
    found = [f"its discovery document names no {name}" for name in ("authorization_endpoint", "token_endpoint") if not getattr(seen, name)]
    lists = {
        "scopes": (seen.scopes_supported, set(login.scopes(provider)) - set(seen.scopes_supported)),
        "response types": (seen.response_types_supported, {"code"} - set(seen.response_types_supported)),
        "ways of PKCE": (seen.code_challenge_methods_supported, {"S256"} - set(seen.code_challenge_methods_supported)),
    }
    found += [
        f"it does not know {', '.join(sorted(lacking))} among its {what}" for what, (said, lacking) in lists.items() if said and lacking
    ]
    signs = seen.id_token_signing_alg_values_supported
    if signs and not set(signs) & set(provider.algorithms):
        found.append(f"it signs ID tokens with {', '.join(sorted(signs))}; spec.algorithms names {', '.join(provider.algorithms)} only")
    return (*found, *(() if seen.keys else ("it publishes no key that tokens may be signed with",)))


def check(spec: ProviderSpec, data: dict[str, str] | None, *, name: str) -> dict[str, str]:
    """Broken rules by path."""
    problems = {f"spec.{path}": rule for path, rule in login.check_client(spec).items()}
    if name == login.LOCAL:
        problems["metadata.name"] = f"{login.LOCAL} means passwords"
    for field, value in (data or {}).items():
        if field != FIELD:
            problems[f"data.{field[:63]}"] = f"is unknown; the only secret is {FIELD}"
        elif not value.strip() or len(value) > LONGEST_SECRET:
            problems[f"data.{FIELD}"] = f"must have 1 to {LONGEST_SECRET} characters; leave it out for a public client"
    return problems
