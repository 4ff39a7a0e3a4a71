"""Policies where bindings put them: from the set that is off until it is bound, over approvals and waivers, to the task."""

import datetime as dt
from typing import Any

import pytest

from plane.domain import access
from plane.domain.judging import policy, styles
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import effective, explain, orders
from plane.server.delivering import sweep
from plane.store import engine
from plane.store.delivering import duties
from plane.store.layout import policy_tables, tables
from plane.wire import rest
from tests.support import planes

RULES = policy.policy_files(
    "house", {"own.rego": 'package plane.rules.W01\n\nviolations contains {"message": "no"} if input.manifest.kind == "ConfigMap"\n'}
)
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
LATER = "2099-01-01T00:00:00Z"
TENANT, PROJECT = "acme", "shop"  # of `fleet`


class Shop:
    """One app under a set of policies that is off by itself."""

    def __init__(self, fleet: planes.Fleet, devgit: DevGit, name: str) -> None:
        self.fleet, self.names = fleet, authorise.Names(TENANT, PROJECT, "web")
        fleet.add(tables.policy_sets, tenant_id=fleet.tenant, name="house", digest=RULES.digest, files=RULES.files, spec={"mode": "off"})
        url = devgit.create(name, planes.files("web", config=CONFIG))
        self.app = fleet.app("web", fleet.repository(devgit, name), url)

    def bind(self, name: str = "house", *, project: bool = False, **spec: Any) -> None:  # noqa: ANN401 - fields of the spec
        where = {"tenant_id": self.fleet.tenant, "project_id": self.fleet.project if project else None}
        self.fleet.add(policy_tables.policy_bindings, **where, name=name, policy_set="house", spec={"policySet": "house"} | spec)

    def waive(self, *, approved_by: str = "bo", **spec: Any) -> None:  # noqa: ANN401 - fields of the spec
        said = {"policy": "house", "rule": "W01", "reason": "for now", "expiresAt": LATER} | spec
        who = {"requester_id": self.fleet.tenant, "requested_by": "ann", "approved_by": approved_by}
        where = {"tenant_id": self.fleet.tenant, "project_id": self.fleet.project, "name": "once"}
        self.fleet.add(policy_tables.waivers, **where, **who, spec=said, ends_at=dt.datetime.fromisoformat(said["expiresAt"]))

    def look(self) -> int:
        """How many tasks another look at the app queues."""
        with engine.begin(self.fleet.plane.engine, self.fleet.scope) as tx:
            duties.all_of_tenant(tx, self.fleet.tenant, self.fleet.plane.clock.now())
        return self.fleet.work()

    def told(self) -> Any:  # noqa: ANN401 - an explanation
        return explain.explain(self.fleet.plane, self.fleet.scope, project_id=self.fleet.project, app="web")

    def caller(self) -> authorise.Caller:
        return authorise.Caller(access.Actor(self.fleet.tenant, "cy", grants=(access.Grant("admin", self.fleet.tenant),)))

    def ahead(self, length: dt.timedelta) -> None:
        assert isinstance(self.fleet.plane.clock, planes.MovableClock)
        self.fleet.plane.clock.ahead += length

    def events(self, kind: str) -> list[Any]:
        with self.fleet.owner.begin() as tx:
            return list(tx.exec_driver_sql(f"SELECT body FROM audit_events WHERE type = '{kind}'").scalars())  # noqa: S608 - our own word


@pytest.fixture
def shop(fleet: planes.Fleet, devgit: DevGit) -> Shop:
    return Shop(fleet, devgit, f"bound-{fleet.tenant[-12:]}")


def test_a_set_that_is_off_judges_nothing_until_it_is_bound(shop: Shop) -> None:
    assert shop.look() == 1
    shop.bind(mode="deny", clusters="env=other")
    assert (shop.look(), shop.told().status) == (0, "syncing")
    shop.bind("inner", project=True, mode="deny")
    shop.look()
    assert (shop.told().status, [one.by for one in shop.told().violations]) == ("policy-refused", [f"{TENANT}/{PROJECT}/inner"])


def test_a_binding_with_a_time_warns_until_then_and_denies_by_itself(shop: Shop) -> None:
    soon = shop.fleet.plane.clock.now() + dt.timedelta(hours=1)
    shop.bind(mode="deny", enforceAfter=soon.isoformat())
    assert (shop.look(), [one.mode for one in shop.told().violations]) == (1, ["warn"])
    shop.ahead(dt.timedelta(hours=1, seconds=1))
    shop.fleet.work()
    assert [one.mode for one in shop.told().violations] == ["deny"]


def test_a_release_that_wants_approval_waits_and_goes_out_once_somebody_agreed(shop: Shop) -> None:
    shop.bind(mode="require-approval")
    assert shop.look() == 0
    assert (shop.told().status, "house/W01 wants somebody to approve ConfigMap" in shop.told().sentence) == ("needs-approval", True)
    orders.approve(shop.fleet.plane, shop.caller(), shop.names, rest.Approve())
    [event] = shop.events("app.release.approved")
    assert b"house" in bytes(event)
    assert shop.fleet.work() == 1
    [(task, _)] = shop.fleet.claim()
    assert not task.options.approved  # deletions are another question


def test_a_waiver_lets_a_release_through_marks_it_counts_and_ends(shop: Shop) -> None:
    shop.bind(mode="deny")
    end = shop.fleet.plane.clock.now() + dt.timedelta(days=1)
    shop.waive(expiresAt=end.isoformat())
    assert shop.look() == 1
    assert [(one.mode, one.waiver) for one in shop.told().violations] == [("deny", f"{PROJECT}/once")]
    assert shop.fleet.row("SELECT uses FROM waivers").uses == 1
    shop.look()
    assert shop.fleet.row("SELECT uses FROM waivers").uses == 1  # nothing new was judged


def test_a_waiver_that_nobody_approved_does_not_count(shop: Shop) -> None:
    shop.bind(mode="deny")
    shop.waive(approved_by="")
    assert (shop.look(), shop.told().status) == (0, "policy-refused")


def test_what_holds_is_told_with_who_says_so(shop: Shop) -> None:
    shop.bind(mode="warn", rules={"W02": "deny"})
    shop.waive()
    found = effective.effective(shop.fleet.plane, shop.caller(), shop.names)
    assert {one.rule: (one.mode, one.by) for one in found.rules} == {
        "*": ("warn", f"{TENANT}/house"),
        "W02": ("deny", f"{TENANT}/house"),
    }
    assert (found.waivers, found.until, found.problems) == ((f"{PROJECT}/once",), LATER, ())


def test_a_binding_to_a_set_that_is_gone_denies_and_says_so(shop: Shop) -> None:
    shop.bind(mode="warn", policySet="gone")
    assert shop.look() == 0
    assert "names the policy set gone, which is not there" in shop.told().sentence


def test_an_end_that_is_near_is_told_once(shop: Shop) -> None:
    shop.waive(expiresAt=(dt.datetime.now(dt.UTC) + dt.timedelta(days=10)).isoformat())
    shop.look()
    sweep.sweep(shop.fleet.plane)
    sweep.sweep(shop.fleet.plane)
    [event] = shop.events("waiver.expiring")
    assert b"at most 14 days" in bytes(event)


def test_a_set_written_for_conftest_denies_by_its_authors_rules_and_only_warns_where_they_warn(shop: Shop) -> None:
    text = 'package main\n\ndeny contains "no" if input.kind == "ConfigMap"\n\nwarn contains "old"\n'
    theirs = policy.policy_files("theirs", {"rules.rego": text}, styles.Style("conftest"))
    spec = {"mode": "deny", "style": {"kind": "conftest"}}
    shop.fleet.add(tables.policy_sets, tenant_id=shop.fleet.tenant, name="theirs", digest=theirs.digest, files=theirs.files, spec=spec)
    shop.look()
    found = [(one.violation.rule, one.mode) for one in shop.told().violations]
    assert (shop.told().status, found) == ("policy-refused", [("deny", "deny"), ("warn", "warn")])
