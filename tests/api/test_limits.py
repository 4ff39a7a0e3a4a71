"""Too many requests: who is refused, what they are told, and who is not touched by it."""

import msgspec
import pytest

from plane.domain.granting import limits as domain
from plane.server import authorise, context, limits
from tests.support.rest import V1, Api, Tenant, make_tenant


def limited(api: Api, **rates: int) -> None:
    """No time passes, so nothing fills up while the test runs."""
    state = api.client.app.state
    state.plane = msgspec.structs.replace(state.plane, limits=limits.Limits(domain.Rates(**rates), lambda: 0.0))


def test_a_token_has_a_budget_of_its_own_and_is_told_of_it(acme: Tenant, platform: Api) -> None:
    limited(platform, token=1)
    said = [acme.api.get("/me") for _ in range(21)]
    assert [one.status_code for one in said] == [200] * 20 + [429]
    assert said[0].headers["RateLimit"].startswith('"token";r=19;t=1, "tenant";r=')
    assert (said[-1].headers["RateLimit"], said[-1].headers["Retry-After"]) == ('"token";r=0;t=20', "1")
    assert said[-1].json()["type"].endswith(":too-many")
    assert platform.get("/me").status_code == 200


def test_a_tenants_people_share_one(acme: Tenant, platform: Api) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    globex = make_tenant(platform, "globex")
    limited(platform, tenant=1)
    said = [caller.get("/me").status_code for _ in range(10) for caller in (acme.api, bob)]
    assert set(said) == {200}
    assert [caller.get("/me").status_code for caller in (acme.api, bob, globex.api, platform)] == [429, 429, 200, 200]


def test_whoever_guesses_tokens_is_refused_before_the_database_is_asked(platform: Api, plane: context.Plane) -> None:
    limited(platform, address=1)
    assert platform.get("/me").status_code == 200
    said = [platform.with_token(authorise.new_secret("user")).get("/me").status_code for _ in range(21)]
    assert said == [401] * 20 + [429]
    platform.client.app.state.plane = msgspec.structs.replace(platform.client.app.state.plane, engine=None)
    assert platform.with_token(authorise.new_secret("user")).get("/me").status_code == 429
    platform.client.app.state.plane = msgspec.structs.replace(platform.client.app.state.plane, engine=plane.engine)
    assert platform.get("/me").status_code == 200


def test_a_token_that_was_revoked_counts_for_its_address(acme: Tenant, platform: Api) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    limited(platform, address=1)
    assert bob.get("/me").status_code == 200
    acme.api.post("/tenants/acme/people/bob/disable")
    assert [bob.get("/me").status_code for _ in range(22)] == [401] * 21 + [429]


@pytest.mark.parametrize("path", ["/login", "/login/none/web", "/login/none/callback?state=x", "/me"])
def test_strangers_share_the_budget_of_their_address(platform: Api, path: str) -> None:
    limited(platform, address=1)
    said = [platform.client.get(f"{V1}{path}", follow_redirects=False).status_code for _ in range(21)]
    assert 429 not in said[:20]
    assert said[20] == 429
    assert platform.client.post("/agent/v1/enrol", content=b"x").status_code == 429
