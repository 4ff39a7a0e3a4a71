"""Previews: what a policy would do to what apps are now, step by step, kept and compared."""

from typing import Any

import pytest
import sqlalchemy as sa

from plane.adapters.judging import opa_files
from plane.domain import access, errors, tenancy
from plane.domain.judging import policy, policy_bindings
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import previews
from plane.store.layout import tables
from plane.wire import previews as wire
from plane.wire import rest
from tests.support import planes

RULE = 'package plane.rules.W01\n\nviolations contains {"message": "no"} if input.manifest.kind == "ConfigMap"\n'
LABELS = 'package plane.rules.L01\n\nviolations contains {"message": "no label"} if not input.manifest.metadata.labels.team\n'
RULES = policy.policy_files("house", {"own.rego": RULE})
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"
NAMES = authorise.Names("acme")
EVERYBODY = authorise.Names()


def set_of(*texts: str, name: str = "house") -> wire.SetWish:
    return wire.SetWish(name=name, files={f"rule{n}.rego": text for n, text in enumerate(texts)})


class Shop:
    """Two apps of which one has a ConfigMap; nothing is in force."""

    def __init__(self, fleet: planes.Fleet, devgit: DevGit) -> None:
        self.fleet, name = fleet, f"previewed-{fleet.tenant[-12:]}"
        account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: api}\n"
        contents = {**planes.files("web", config=CONFIG.replace("NAME", "web")), **planes.files("api", account=account)}
        url = devgit.create(name, contents)
        repository = fleet.repository(devgit, name)
        for app in ("web", "api"):
            fleet.app(app, repository, url)
        fleet.work()

    def caller(self, role: str = "admin") -> authorise.Caller:
        return authorise.Caller(access.Actor(self.fleet.tenant, "cy", grants=(access.Grant(role, self.fleet.tenant),)))

    def made(self, **wish: Any) -> wire.Preview:  # noqa: ANN401 - fields of the wish
        begun = previews.begin(self.fleet.plane, self.caller(), NAMES, wire.NewPreview(**wish))
        return previews.step(self.fleet.plane, self.caller(), NAMES, str(begun.number))

    def apps(self, number: int) -> list[wire.PreviewApp]:
        return list(previews.apps(self.fleet.plane, self.caller(), NAMES, str(number), rest.Paging()).items)

    def keep(self, mode: str) -> None:
        house = {"tenant_id": self.fleet.tenant, "name": "house", "digest": RULES.digest, "files": RULES.files}
        self.fleet.add(tables.policy_sets, **house, spec={"mode": mode})
        with self.fleet.owner.begin() as tx:
            tx.execute(sa.update(tables.apps).values(due_at=self.fleet.plane.clock.now()))
        self.fleet.work()


@pytest.fixture
def shop(fleet: planes.Fleet, devgit: DevGit) -> Shop:
    return Shop(fleet, devgit)


def test_a_set_from_a_file_is_asked_of_what_apps_are_and_changes_nothing(shop: Shop) -> None:
    made = shop.made(set=set_of(RULE))
    assert (made.total, made.done, made.counts, made.ended_at != "") == (2, 2, {"denied": 1, "allowed": 1}, True)
    [app] = shop.apps(made.number)
    assert (app.app, app.cluster, app.owner, app.verdict) == ("web", "east", "shop", "denied")
    assert [(one.name, one.word, one.count, one.new) for one in made.by_rule] == [("W01", "deny", 1, 1)]
    assert shop.fleet.row("SELECT count(*) FROM decisions")[0] == 0


def test_what_apps_break_already_is_told_from_what_would_be_new(shop: Shop) -> None:
    shop.keep("warn")
    made = shop.made(set=set_of(RULE, LABELS), mode="deny")
    assert [(one.name, one.word, one.count, one.new) for one in made.by_rule] == [("L01", "deny", 2, 2), ("W01", "deny", 1, 0)]


def test_a_kept_set_is_previewed_by_a_binding_and_only_where_it_would_hold(shop: Shop) -> None:
    shop.keep("off")
    made = shop.made(binding=policy_bindings.BindingSpec(policy_set="house", mode="warn", apps="tier=front"))
    assert (made.outside, made.counts) == (2, {})
    made = shop.made(binding=policy_bindings.BindingSpec(policy_set="house", enforce_after="2099-01-01T00:00:00Z", mode="deny"))
    assert (made.outside, made.counts) == (0, {"denied": 1, "allowed": 1})


def test_a_preview_that_was_left_goes_on_where_it_stood(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "CHUNK", 1)
    monkeypatch.setattr(previews, "STEP_S", 0.0)
    begun = previews.begin(shop.fleet.plane, shop.caller(), NAMES, wire.NewPreview(set=set_of(LABELS)))
    seen = [begun]
    while not seen[-1].ended_at:
        monkeypatch.setattr(previews, "STEP_S", 0.001)
        seen.append(previews.step(shop.fleet.plane, shop.caller(), NAMES, str(begun.number)))
    assert [one.done for one in seen[:3]] == [0, 1, 2]
    assert (seen[-1].counts, len(shop.apps(begun.number))) == ({"denied": 2}, 2)


def test_two_previews_are_compared_app_by_app(shop: Shop) -> None:
    before, after = shop.made(set=set_of(RULE)), shop.made(set=set_of(LABELS), mode="warn")
    query = wire.ComparisonQuery(to=before.number)
    found = previews.compare(shop.fleet.plane, shop.caller(), NAMES, str(after.number), query)
    assert [(one.app, one.was, one.now) for one in found.differences] == [("api", "", "warned"), ("web", "denied", "warned")]


def test_the_platform_sees_every_tenants_apps(shop: Shop) -> None:
    who = authorise.Caller(access.Actor(shop.fleet.tenant, "root", grants=(access.Grant("platform-admin"),)))
    begun = previews.begin(shop.fleet.plane, who, EVERYBODY, wire.NewPreview(set=set_of(RULE)))
    made = previews.step(shop.fleet.plane, who, EVERYBODY, str(begun.number))
    assert (made.set, made.counts, [one.name for one in made.by_tenant]) == ("platform/house", {"denied": 1, "allowed": 1}, ["acme"])


def test_a_preview_is_for_who_may_make_policies_and_begins_and_ends_in_the_log(shop: Shop) -> None:
    with pytest.raises(errors.Forbidden):
        previews.begin(shop.fleet.plane, shop.caller("viewer"), NAMES, wire.NewPreview(set=set_of(RULE)))
    shop.made(set=set_of(RULE))
    with shop.fleet.owner.begin() as tx:
        query = "SELECT type FROM audit_events WHERE type LIKE 'policy.preview.%%' ORDER BY id"
        assert list(tx.exec_driver_sql(query).scalars()) == ["policy.preview.begun", "policy.preview.ended"]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "set"),
        ({"binding_name": "none"}, "bindingName"),
        ({"binding": policy_bindings.BindingSpec(policy_set="none")}, "binding.policySet"),
        ({"set": wire.SetWish(name="house")}, "set.files"),
        ({"set": set_of(RULE), "binding": policy_bindings.BindingSpec(clusters="a in b")}, "binding.clusters"),
    ],
)
def test_what_cannot_be_previewed_is_refused_by_field(fleet: planes.Fleet, wish: dict[str, Any], field: str) -> None:
    who = authorise.Caller(access.Actor(fleet.tenant, "cy", grants=(access.Grant("admin", fleet.tenant),)))
    with pytest.raises(errors.Invalid) as refused:
        previews.begin(fleet.plane, who, NAMES, wire.NewPreview(**wish))
    assert list(refused.value.problems) == [field]


def test_an_unknown_preview_is_absent(fleet: planes.Fleet) -> None:
    who = authorise.Caller(access.Actor(fleet.tenant, "cy", grants=(access.Grant("viewer", fleet.tenant),)))
    for number in ("7", "x", "9" * 30):
        with pytest.raises(errors.NotFound):
            previews.get(fleet.plane, who, NAMES, number)


SHIPPED = opa_files.shipped().texts
ROUTE = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: shop.example}]}\n"
NEIGHBOURS = ("blast_radius", "foreign_objects", "hosts")


def late(fleet: planes.Fleet, devgit: DevGit, name: str, **files: str) -> str:
    """A repository with an app of these files, which comes after all others."""
    url = devgit.create(name, planes.files("late", **files))
    app = fleet.app("late", fleet.repository(devgit, name), url)
    fleet.work()
    return app


def test_rules_hear_of_changes_and_of_what_others_have_as_in_a_delivery(fleet: planes.Fleet, devgit: DevGit) -> None:
    globex = planes.make_fleet(fleet.plane, fleet.owner, tenant="globex", project="web", cluster="west")
    late(globex, devgit, f"first-{fleet.tenant[-12:]}", route=ROUTE)
    shop = Shop(fleet, devgit)
    app = late(fleet, devgit, f"late-{fleet.tenant[-12:]}", route=ROUTE, config=CONFIG.replace("NAME", "web"))
    newest = "SELECT r.digest FROM app_states s JOIN releases r ON r.id = s.release_id JOIN apps a ON a.id = s.app_id WHERE a.name = 'api'"
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.app_states).where(tables.app_states.c.app_id == app).values(reported=fleet.row(newest).digest))
    files = {f"{one}.rego": SHIPPED[f"{one}.rego"] for one in NEIGHBOURS}
    spec = tenancy.PolicySetSpec(parameters={"G04": {"kinds": ["ServiceAccount"]}})
    made = shop.made(set=wire.SetWish(name="house", spec=spec, files=files))
    (found,) = shop.apps(made.number)
    assert (found.app, made.notes) == ("late", ())
    assert {one.rule: one.message for one in found.found} == {
        "G04": "the release deletes the ServiceAccount api",
        "N06": "the object belongs to shop/web",
        "T02": 'the host "shop.example" belongs to another tenant (shop.example)',
    }


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {token: made-up}\n"


def test_rules_hear_what_only_the_render_told_of_a_release(fleet: planes.Fleet, devgit: DevGit) -> None:
    app = late(fleet, devgit, f"late-{fleet.tenant[-12:]}", secret=SECRET)
    shop = Shop(fleet, devgit)
    files = {f"{one}.rego": SHIPPED[f"{one}.rego"] for one in ("plain_secrets", "sources")}
    spec = tenancy.PolicySetSpec(parameters={"G01": {"floating": False}})
    wish = {"set": wire.SetWish(name="house", spec=spec, files=files)}
    made = shop.made(**wish)
    said = {(one.app, each.rule) for one in shop.apps(made.number) for each in one.found}
    assert (said, made.notes) == ({("late", "S01"), ("late", "G01"), ("web", "G01"), ("api", "G01")}, ())
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.releases).where(tables.releases.c.app_id == app).values(rendered=sa.null()))
    older = shop.made(**wish)
    assert {one.app for one in shop.apps(older.number)} == {"web", "api"}
    assert older.notes == tuple(
        f"rules that read input.{field} say nothing of 1 release rendered before that was kept" for field in ("clear", "source")
    )
