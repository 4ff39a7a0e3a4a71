"""Identity providers as documents: what can be, what ends log-ins, and what a provider says of itself."""

from typing import Any

import msgspec
import pytest

from plane.domain.granting import login, providers

PLAIN = {"issuer": "https://login.example", "clientId": "plane"}


def spec(**change: Any) -> providers.ProviderSpec:  # noqa: ANN401 - as YAML says it
    return msgspec.convert(PLAIN | change, providers.ProviderSpec)


@pytest.mark.parametrize(
    ("name", "change", "data", "broken"),
    [
        ("house", {}, None, []),
        ("house", {}, {"clientSecret": "x"}, []),
        ("house", {"issuer": "http://127.0.0.1:1"}, None, []),
        ("house", {"issuer": "http://login.example"}, None, ["spec.issuer"]),
        ("house", {"issuer": "https://u@login.example"}, None, ["spec.issuer"]),
        ("house", {"algorithms": ["HS256"]}, None, ["spec.algorithms"]),
        ("house", {"algorithms": ["none"]}, None, ["spec.algorithms"]),
        ("house", {"algorithms": []}, None, ["spec.algorithms"]),
        ("house", {"scopes": ["profile"]}, None, ["spec.scopes"]),
        ("house", {"parameters": {"access_type": "offline", "prompt": ""}}, None, []),
        ("house", {"parameters": {"redirect_uri": "https://evil.example"}}, None, ["spec.parameters.redirect_uri"]),
        ("house", {}, {"password": "x"}, ["data.password"]),
        ("house", {}, {"clientSecret": " "}, ["data.clientSecret"]),
        ("local", {}, None, ["metadata.name"]),
    ],
)
def test_a_provider_that_cannot_be_is_named_by_its_fields(
    name: str, change: dict[str, Any], data: dict[str, str] | None, broken: list[str]
) -> None:
    assert list(providers.check(spec(**change), data, name=name)) == broken


@pytest.mark.parametrize(
    "change",
    [{"tenant": "acme"}, {"clientSecret": "x"}, {"hours": 25}, {"hours": 0}, {"refreshMinutes": 61}, {"scopes": ["x"] * 51}],
    ids=str,
)
def test_a_document_says_nothing_else(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        spec(**change)


@pytest.mark.parametrize("field", sorted(set(providers.ProviderSpec.__struct_fields__) - providers.UNSEEN))
def test_whatever_somebody_was_let_in_by_ends_their_log_in_when_it_changes(field: str) -> None:
    assert providers.same_trust(spec(), spec(title="Another"))
    changed = msgspec.structs.replace(spec(), **{field: "another"})
    assert not providers.same_trust(spec(), changed)


@pytest.mark.parametrize(
    ("aud", "allowed", "why"),
    [
        ("plane", [], ""),
        (["plane", "other"], [], ""),
        (["plane", "other"], ["other"], ""),
        (["plane", "evil"], ["other"], "aud also names 'evil'"),
    ],
)
def test_an_id_token_is_for_nobody_else_but_who_is_allowed(aud: object, allowed: list[str], why: str) -> None:
    assert login.stray({"aud": aud}, spec(allowedAudiences=allowed)) == why


SEEN = providers.Seen(authorization_endpoint="https://a.example", token_endpoint="https://t.example", keys=1)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, ""),
        ({"token_endpoint": ""}, "its discovery document names no token_endpoint"),
        ({"scopes_supported": ("email",)}, "it does not know openid, profile among its scopes"),
        ({"response_types_supported": ("token",)}, "it does not know code among its response types"),
        ({"code_challenge_methods_supported": ("plain",)}, "it does not know S256 among its ways of PKCE"),
        ({"id_token_signing_alg_values_supported": ("ES256",)}, "it signs ID tokens with ES256; spec.algorithms names RS256 only"),
        ({"keys": 0}, "it publishes no key that tokens may be signed with"),
    ],
    ids=str,
)
def test_what_a_provider_says_of_itself_shows_why_log_ins_would_fail(said: dict[str, Any], problem: str) -> None:
    assert "; ".join(providers.unfit(spec(), msgspec.structs.replace(SEEN, **said))) == problem
