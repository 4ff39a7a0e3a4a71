"""Log-ins that are asked about again at a real identity provider."""

import datetime as dt
import os
from collections.abc import Iterator
from concurrent import futures
from urllib import parse

import msgspec
import pytest
import sqlalchemy as sa

from plane.adapters.secrets import envelope
from plane.adapters.trusting import oidc
from plane.domain import access
from plane.domain.granting import login as domain
from plane.domain.rendering import secrets
from plane.server import context, entry, renewals
from plane.server.delivering import rewrap
from tests.support import identity
from tests.support.rest import V1, Api, document

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BEGIN = {"back": "http://127.0.0.1:8000/", "challenge": domain.challenge(VERIFIER)}
MASTER_KEY = secrets.Secret(os.urandom(32))
OLD = dt.timedelta(minutes=11)


@pytest.fixture
def cleo(provider: identity.Provider) -> Iterator[identity.Browser]:
    provider.change("cleo", {"groups": ["team-a"]})
    browser = identity.Browser("cleo")
    yield browser
    browser.close()


@pytest.fixture
def asking(plane: context.Plane, provider: identity.Provider) -> context.Plane:
    """A plane whose file names a provider that is asked again."""
    house = {"name": "house", "issuer": provider.issuer, "clientId": "plane", "refresh": True}
    logins = msgspec.convert({"url": identity.PLANE, "providers": [house]}, domain.Settings)
    return msgspec.structs.replace(plane, logins=logins, envelope=envelope.Local(MASTER_KEY))


@pytest.fixture
def inside(platform: Api, asking: context.Plane, cleo: identity.Browser) -> Api:
    """A command line that has logged in, as somebody whose group gives a role."""
    platform.client.app.state.plane = asking
    spec = {"role": "platform-auditor", "subjects": [{"kind": "Group", "name": "team-a"}]}
    assert platform.put("/rolebindings/auditors", document("RoleBinding", "auditors", spec)).status_code == 201
    platform.client.cookies.clear()
    nobody = platform.with_token("")
    back = parse.urlsplit(cleo.follow(nobody.post("/login/house/begin", BEGIN).json()["url"]))
    answer = nobody.client.get(f"{back.path}?{back.query}", follow_redirects=False)
    code = parse.parse_qs(parse.urlsplit(answer.headers["Location"]).query)["code"][0]
    made = nobody.post("/login/end", {"code": code, "verifier": VERIFIER})
    api = nobody.with_token(made.json()["token"])
    assert api.get("/me").json()["roles"] == [{"role": "platform-auditor"}]
    return api


def age(owner: sa.Engine, by: dt.timedelta) -> None:
    """The provider's last word, and the last try, are so old, and the token was used since."""
    with owner.begin() as tx:
        tx.execute(
            sa.text("UPDATE tokens SET asked_at = asked_at - :by, tried_at = NULL, used_at = now() WHERE asked_at IS NOT NULL"), {"by": by}
        )


def kept(owner: sa.Engine) -> list[bytes]:
    with owner.begin() as tx:
        found = tx.execute(sa.text("SELECT renewal FROM tokens WHERE asked_at IS NOT NULL ORDER BY id"))
        return [bytes(row[0]) for row in found]


def ended(owner: sa.Engine) -> list[str]:
    with owner.begin() as tx:
        found = tx.execute(sa.text("SELECT body FROM audit_events WHERE type = 'access.logins.ended' ORDER BY id"))
        return [msgspec.json.decode(row[0])["message"] for row in found]


def test_who_left_a_group_loses_its_roles_while_logged_in(
    inside: Api, asking: context.Plane, provider: identity.Provider, owner: sa.Engine
) -> None:
    provider.change("cleo", {"groups": []})
    assert renewals.renew_due(asking) == 0
    before = kept(owner)
    age(owner, OLD)
    assert renewals.renew_due(asking) == 1
    assert inside.get("/me").json()["roles"] == []
    assert renewals.renew_due(asking) == 0
    rotated = kept(owner)
    age(owner, OLD)
    provider.change("cleo", {"groups": ["team-a"]})
    assert renewals.renew_due(asking) == 1
    assert inside.get("/me").json()["roles"] == [{"role": "platform-auditor"}]
    assert len({*before, *rotated, *kept(owner)}) == 3


def test_a_log_in_ends_with_the_account_at_the_provider(
    inside: Api, asking: context.Plane, provider: identity.Provider, owner: sa.Engine
) -> None:
    provider.change("cleo", None)
    age(owner, OLD)
    renewals.renew_due(asking)
    answer = inside.get("/me")
    assert (answer.status_code, "log in" in answer.json()["detail"]) == (401, True)
    assert ended(owner) == ["house vouches for cleo no more"]
    assert kept(owner) == []


def test_a_token_of_somebody_else_is_no_answer(inside: Api, asking: context.Plane, owner: sa.Engine) -> None:
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE identities SET subject = 'somebody-else'"))
    age(owner, OLD)
    renewals.renew_due(asking)
    assert inside.get("/me").status_code == 401
    assert ended(owner) == ["house vouches for cleo no more"]


def test_a_stream_goes_on_when_the_provider_still_vouches_for_its_reader(inside: Api, asking: context.Plane, owner: sa.Engine) -> None:
    age(owner, dt.timedelta(hours=2))
    assert renewals.actor(asking, inside.token, ip="", user_agent="", used=False).name == "cleo"
    assert renewals.renew_due(asking) == 0


def test_one_of_many_asks(inside: Api, asking: context.Plane, owner: sa.Engine) -> None:
    age(owner, OLD)
    with futures.ThreadPoolExecutor(4) as threads:
        rounds = [threads.submit(renewals.renew_due, asking) for _ in range(4)]
        assert sum(one.result() for one in rounds) >= 1
    assert inside.get("/me").status_code == 200
    assert ended(owner) == []


def test_a_provider_that_is_away_ends_nothing_until_its_word_is_an_hour_old(inside: Api, asking: context.Plane, owner: sa.Engine) -> None:
    house = msgspec.structs.replace(asking.logins.providers[0], issuer="http://127.0.0.1:1")
    away = msgspec.structs.replace(asking, identities=oidc.Oidc(), logins=msgspec.structs.replace(asking.logins, providers=(house,)))
    inside.client.app.state.plane = away
    age(owner, OLD)
    assert [renewals.renew_due(away), renewals.renew_due(away)] == [1, 0]
    assert inside.get("/me").status_code == 200
    age(owner, dt.timedelta(hours=1))
    answers = [inside.get("/me") for _ in range(2)]
    assert [one.status_code for one in answers] == [503, 503]
    age(owner, dt.timedelta())
    inside.client.app.state.plane = asking
    assert inside.get("/me").status_code == 200


def test_who_logs_out_is_forgotten_at_the_provider_too(inside: Api, asking: context.Plane, owner: sa.Engine) -> None:
    renewal = opened(asking, owner)
    inside.post("/logout")
    assert renewals.renew_due(asking) == 1
    assert kept(owner) == []
    with pytest.raises(domain.Ended, match="log-in was refused"):
        asking.identities.renew(asking.logins.providers[0], renewal, now=asking.clock.now())


def opened(plane: context.Plane, owner: sa.Engine) -> secrets.Secret:
    """What the provider is asked again with."""
    with owner.begin() as tx:
        row = tx.execute(sa.text("SELECT id, renewal FROM tokens WHERE asked_at IS NOT NULL")).one()
    return plane.envelope.unwrap(bytes(row[1]), context=entry.renewal_context(access.PLATFORM_TENANT, str(row[0])))


def test_what_to_ask_with_is_nowhere_in_the_clear(
    inside: Api, asking: context.Plane, owner: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    token = msgspec.json.decode(opened(asking, owner).reveal())["token"]
    age(owner, OLD)
    renewals.renew_due(asking)
    whole = sa.cast(sa.literal_column("t"), sa.Text)
    with owner.begin() as tx:
        names = sa.inspect(tx).get_table_names()
        rows = {name: str(tx.execute(sa.select(whole).select_from(sa.table(name).alias("t"))).all()) for name in names}
    assert inside.get("/me").status_code == 200
    assert [name for name, text in rows.items() if token in text or token.encode().hex() in text] == []
    assert token not in caplog.text


def test_a_change_of_master_key_keeps_what_to_ask_with(inside: Api, asking: context.Plane, owner: sa.Engine) -> None:
    before, key = opened(asking, owner), secrets.Secret(os.urandom(32))
    rewrap.rewrap(msgspec.structs.replace(asking, envelope=envelope.Local(key, older=(MASTER_KEY,))))
    alone = msgspec.structs.replace(asking, envelope=envelope.Local(key))
    assert opened(alone, owner) == before


def test_browsers_and_devices_are_asked_about_as_command_lines_are(
    inside: Api, asking: context.Plane, cleo: identity.Browser, owner: sa.Engine
) -> None:
    device = inside.post("/login/house/device").json()
    cleo.type_code(device["verificationUriComplete"])
    assert inside.post("/login/device", {"handle": device["handle"]}).json()["token"]
    begun = inside.client.get(f"{V1}/login/house/web", follow_redirects=False)
    back = parse.urlsplit(cleo.follow(begun.headers["Location"]))
    shown = {"Cookie": begun.headers["Set-Cookie"].partition(";")[0]}
    inside.client.get(f"{back.path}?{back.query}", headers=shown, follow_redirects=False)
    before = kept(owner)
    age(owner, OLD)
    assert (len(before), renewals.renew_due(asking)) == (3, 3)
    assert ended(owner) == []
    assert len(set(before) & set(kept(owner))) == 0
