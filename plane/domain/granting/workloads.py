"""Which machines' tokens become a service's: trust rules as documents, and how claims are weighed. Signatures are checked elsewhere."""

import base64
import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Annotated

import msgspec

from plane.domain import errors
from plane.domain.granting import conditions, login, roles
from plane.domain.reading import json_text

UNSEEN = frozenset({"description"})  # what was let in stays in when only these change
MOST_NETWORKS = 32
SHOWN = 200  # characters of a claim that are told
# Claims that say whose machine it is. Others narrow a rule, but are as true of anybody's: a visibility, a reusable workflow, a branch.
IDS = frozenset({"repository_id", "repository_owner_id", "project_id", "namespace_id", "enterprise_id"})
NAMES = frozenset({"repository", "repository_owner", "workflow_ref", "project_path", "namespace_path", "enterprise"})
WHERE = frozenset({"ref", "environment", "ref_protected", "workflow_ref", "job_workflow_ref", "environment_protected"})
LABELS = frozenset({
    "", "repo", "repository", "repository_owner", "repository_owner_id", "repository_id", "project_path", "system", "serviceaccount",
    "org", "organization", "project", "spiffe", "https",
})  # fmt: skip  # words of issuers' own in their subjects: what follows one is a name
OTHERS = re.compile(r"https://kubernetes\.default\.svc.*|https://github\.com/.*|sts\.amazonaws\.com|sigstore|api://AzureADTokenExchange")


class TrustSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Which of an issuer's tokens become the service's. `claims`: all must be equal, `*` is any text.

    `audience`: what the tokens must be made for; `scopes` and `networks` narrow what they become; `caPem`: as a provider's.
    """

    description: login.Text = ""
    issuer: login.Text
    audience: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    claims: Annotated[dict[login.Text, login.Text], msgspec.Meta(min_length=1, max_length=50)]
    service: login.Name
    scopes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 15
    algorithms: login.Words = ("RS256",)
    ca_pem: Annotated[str, msgspec.Meta(max_length=65536)] = ""
    enabled: bool = True


class Declared(login.TrustRule, frozen=True, kw_only=True):
    """One that a document declares. `name`: what jobs call it, `NAME`, or `TENANT.NAME` for a tenant's own; `version`: the document's."""

    version: int
    makers: frozenset[str] = frozenset()  # ids of who wrote it
    ca_pem: str = ""


class Condition(msgspec.Struct, frozen=True):
    """One thing that a token must say; `said`: what it says, as JSON, empty where it says nothing."""

    claim: str
    wanted: str
    said: str
    holds: bool


def declare(spec: TrustSpec, *, called: str, tenant: str, version: int, makers: Iterable[str] = ()) -> Declared:
    """The rule that a document declares."""
    told = {field: getattr(spec, field) for field in TrustSpec.__struct_fields__ if field in Declared.__struct_fields__}
    return Declared(**told, name=called, tenant=tenant, version=version, makers=frozenset(makers))


def kept_as(called: str) -> str:
    """What tokens that a rule gave are kept under; no identity provider is called so."""
    return f"workloadtrust/{called}"


def same_trust(before: TrustSpec, after: TrustSpec) -> bool:
    """Whether what the one let in would be let in by the other as the same."""
    return all(getattr(before, field) == getattr(after, field) for field in TrustSpec.__struct_fields__ if field not in UNSEEN)


def check(spec: TrustSpec) -> dict[str, str]:
    """Broken rules by path."""
    problems = login.check_issuer(spec.issuer, spec.algorithms) | roles.check_list("scopes", spec.scopes)
    if OTHERS.fullmatch(spec.audience):
        problems["audience"] = f"{spec.audience} is what tokens for others are made for; choose one of the plane's own, such as its address"
    if not any(_names(claim, pattern) for claim, pattern in spec.claims.items()):
        problems["claims"] = (
            f"must say whose machine it is: sub, {', '.join(sorted(IDS | NAMES))}; with a `*` only behind a whole name, "
            "as in repo:acme/* and not in repo:acme*"
        )
    if len(spec.networks) > MOST_NETWORKS:
        problems["networks"] = f"holds {len(spec.networks)} networks; {MOST_NETWORKS} are enough, name larger ones"
    problems |= {f"networks[{n}]": rule for n, one in enumerate(spec.networks) if (rule := conditions.network_problem(one))}
    return {f"spec.{path}": rule for path, rule in problems.items()}


def advice(spec: TrustSpec) -> tuple[str, ...]:
    """What lets in more than its writer may think, and is not refused."""
    sub = spec.claims.get("sub", "")
    of_repository = sub.startswith(("repo:", "project_path:")) or bool((IDS | NAMES) & spec.claims.keys())
    found = []
    if of_repository and not IDS & spec.claims.keys():
        found.append("names of repositories can change hands, also in sub; add repository_id or repository_owner_id, at GitLab project_id")
    if of_repository and (not sub or "*" in sub or sub.endswith(":pull_request")) and not WHERE & spec.claims.keys():
        found.append("every branch and every pull request is trusted; add ref, environment, or ref_protected with the value true")
    if {"project_id", "project_path"} & spec.claims.keys() and "ref" in spec.claims and "ref_type" not in spec.claims:
        found.append("a tag of that name is trusted as the branch is; add ref_type")
    return tuple(found)


def weigh(rule: login.TrustRule, claims: login.Claims) -> tuple[Condition, ...]:
    """What the rule wants of a token's claims, in its own order."""
    return tuple(
        Condition(name, wanted, _shown(claims, name), login.fits(wanted, claims.get(name))) for name, wanted in rule.claims.items()
    )


def explain(rule: login.TrustRule, claims: login.Claims, *, now: dt.datetime) -> tuple[Condition, ...]:
    """All that a token must say: of whom it is, for whom, when, and what the rule wants. A sound signature is taken for granted."""
    listed = claims.get("aud")
    audiences = listed if isinstance(listed, list) else [listed]
    found = [
        Condition("iss", rule.issuer, _shown(claims, "iss"), claims.get("iss") == rule.issuer),
        Condition("aud", rule.audience, _shown(claims, "aud"), rule.audience in audiences),
    ]
    why = login.registered(claims, issuer=rule.issuer, audience=rule.audience, now=now) if all(one.holds for one in found) else ""
    return (*found, *((Condition("(token)", "holds now", why, holds=False),) if why else ()), *weigh(rule, claims))


def unsigned(token: str) -> login.Claims:
    """What a token says, whoever signed it; Invalid for what is no token."""
    parts = token.strip().split(".")
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode()
        found = [one.value for one in json_text.parse(text).documents]
    except (IndexError, ValueError) as e:  # whatever of base64, UTF-8 and JSON it is not
        raise errors.Invalid({"token": "is no signed token: three parts with dots between them, of which the second is JSON"}) from e
    if len(parts) != 3 or len(found) != 1 or not isinstance(found[0], dict):  # noqa: PLR2004 - header, claims, signature
        raise errors.Invalid({"token": "is no signed token: three parts with dots between them, of which the second is one JSON object"})
    return found[0]


def _names(claim: str, pattern: str) -> bool:
    """Whether a condition says whose machine it is: all of an id, or of a name at least its first whole part."""
    if claim not in IDS | NAMES | {"sub"} or not pattern.strip("*"):
        return False
    head, star, _ = pattern.partition("*")
    whole = re.split(r"[:/]", head)[:-1] if star else re.split(r"[:/]", head)
    return bool(set(whole) - LABELS)


def _shown(claims: login.Claims, name: str) -> str:
    return json.dumps(claims[name], ensure_ascii=False)[:SHOWN] if name in claims else ""
