"""Findings: opened by the release that breaks a rule, closed by the one that mends it, told to the log when nobody pushed."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from plane.domain import access
from plane.domain.deciding import explanation
from plane.domain.judging import policy
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import explain, findings
from plane.server.delivering import sweep
from plane.store.layout import decision_tables, policy_tables, tables
from plane.wire import findings as wire
from tests.support import planes

RULES = policy.policy_files(
    "house",
    {
        "own.rego": 'package plane.rules.W01\n\nviolations contains {"message": sprintf("no %s", [word])} if {\n'
        '\tinput.manifest.kind == "ConfigMap"\n\tsome word in object.keys(input.manifest.data)\n}\n'
    },
)
BAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: '1', b: '2'}\n"
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
NAMES = authorise.Names("acme")
DECISIONS = decision_tables.decisions


class Shop:
    """One app under a set that warns."""

    def __init__(self, fleet: planes.Fleet, devgit: DevGit) -> None:
        self.fleet, self.git, self.name = fleet, devgit, f"found-{fleet.tenant[-12:]}"
        fleet.add(tables.policy_sets, tenant_id=fleet.tenant, name="house", digest=RULES.digest, files=RULES.files, spec={"mode": "warn"})
        url = devgit.create(self.name, planes.files("web", config=BAD))
        fleet.app("web", fleet.repository(devgit, self.name), url)
        fleet.work()

    def caller(self) -> authorise.Caller:
        return authorise.Caller(access.Actor(self.fleet.tenant, "cy", grants=(access.Grant("viewer", self.fleet.tenant),)))

    def found(self, **query: Any) -> list[wire.Finding]:  # noqa: ANN401 - fields of the query
        return list(findings.page(self.fleet.plane, self.caller(), NAMES, wire.FindingQuery(**query)).items)

    def push(self, text: str) -> None:
        self.git.commit(self.name, planes.files("web", config=text), "Change it")
        self.again(sa.update(tables.repositories).values(poll_at=self.fleet.plane.clock.now()))

    def set_mode(self, mode: str) -> None:
        self.again(sa.update(tables.policy_sets).values(spec={"mode": mode}))

    def again(self, change: sa.Update) -> None:
        with self.fleet.owner.begin() as tx:
            tx.execute(change)
            tx.execute(sa.update(tables.apps).values(due_at=self.fleet.plane.clock.now()))
        self.fleet.work()

    def applied(self) -> None:
        """The agent has brought the newest release to the cluster."""
        attempt = "jsonb_set(attempt, '{outcome}', '\"succeeded\"')"
        with self.fleet.owner.begin() as tx:
            tx.exec_driver_sql(f"UPDATE app_states SET sync = 'Synced', attempt = {attempt}, reported = digest")  # noqa: S608 - our own words
            tx.exec_driver_sql("UPDATE tasks SET state = 'done'")

    def told(self) -> explanation.Explanation:
        return explain.explain(self.fleet.plane, self.fleet.scope, project_id=self.fleet.project, app="web")

    def events(self, of: str = "policy.finding") -> list[str]:
        with self.fleet.owner.begin() as tx:
            query = f"SELECT type FROM audit_events WHERE type LIKE '{of}.%%' ORDER BY id"  # noqa: S608 - the test's own words
            return list(tx.exec_driver_sql(query).scalars())


@pytest.fixture
def shop(fleet: planes.Fleet, devgit: DevGit) -> Shop:
    return Shop(fleet, devgit)


def test_a_finding_is_one_for_each_rule_and_object_and_ends_with_the_release_that_mends_it(shop: Shop) -> None:
    [one] = shop.found()
    assert (one.policy, one.rule, one.mode, one.count, one.closed_at) == ("house", "W01", "warn", 2, "")
    shop.push(GOOD)
    assert (shop.found(), [each.id for each in shop.found(over=True)]) == ([], [one.id])
    shop.push(BAD)
    [anew] = shop.found()
    assert (anew.id != one.id, shop.found(over=True)) == (True, [])
    assert shop.events() == []


def test_a_finding_keeps_its_beginning_while_its_mode_changes_and_the_log_hears_of_what_stops(shop: Shop) -> None:
    [before] = shop.found()
    shop.set_mode("deny")
    [after] = shop.found(mode="deny")
    assert (after.id, after.first_seen) == (before.id, before.first_seen)
    assert shop.events() == ["policy.finding.opened"]
    shop.set_mode("audit")
    assert (shop.events(), shop.found(mode="deny")) == (["policy.finding.opened", "policy.finding.closed"], [])


def test_a_push_that_policy_stops_is_told_to_the_log_once(shop: Shop) -> None:
    shop.set_mode("deny")
    assert shop.events("app.release") == []
    shop.push(GOOD)
    shop.push(BAD)
    shop.push(BAD + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")
    shop.again(sa.update(tables.repositories).values(poll_at=shop.fleet.plane.clock.now()))
    assert shop.events("app.release") == ["app.release.refused"] * 2
    shop.push(GOOD)
    shop.set_mode("require-approval")
    shop.push(BAD)
    assert shop.events("app.release")[2:] == ["app.release.held"]
    with shop.fleet.owner.begin() as tx:
        query = "SELECT body FROM audit_events WHERE type = 'app.release.refused' ORDER BY id LIMIT 1"
        told = json.loads(tx.exec_driver_sql(query).scalar_one())
        decided = tx.execute(sa.select(DECISIONS.c.release, DECISIONS.c.word).where(DECISIONS.c.id == told["decision"])).one()
    assert (told["release"], told["outcome"]) == tuple(decided)
    assert len(told["commit"]) == 40
    assert told["details"] == {"rules": ["house/W01"], "objects": 1}
    assert told["message"].startswith("policy house/W01 refuses ")


def test_findings_are_counted_by_rule_with_their_trend(shop: Shop) -> None:
    asked = (shop.fleet.plane, shop.caller(), NAMES)
    [rule] = findings.sums(*asked, wire.SumQuery(by="rule")).items
    assert (rule.name, rule.open, rule.stopping, rule.apps, rule.opened, rule.closed) == ("house/W01", 1, 0, 1, 1, 0)
    shop.push(GOOD)
    [app] = findings.sums(*asked, wire.SumQuery(by="app")).items
    assert (app.name, app.open, app.closed, app.oldest) == ("shop/web", 0, 1, "")


def test_who_reads_another_app_alone_sees_none(shop: Shop) -> None:
    other = access.Grant("viewer", shop.fleet.tenant, shop.fleet.project, shop.fleet.tenant)
    who = authorise.Caller(access.Actor(shop.fleet.tenant, "cy", grants=(other,)))
    assert findings.page(shop.fleet.plane, who, NAMES, wire.FindingQuery()).items == ()


def test_what_was_mended_long_ago_goes(shop: Shop) -> None:
    shop.push(GOOD)
    with shop.fleet.owner.begin() as tx:
        tx.execute(sa.update(decision_tables.findings).values(closed_at=shop.fleet.plane.clock.now() - sweep.REFUSED * 2))
    sweep.sweep(shop.fleet.plane)
    assert shop.found(over=True) == []


def test_what_runs_is_stopped_by_a_new_policy_at_its_next_change_and_not_before(shop: Shop) -> None:
    shop.applied()
    shop.set_mode("deny")
    told = shop.told()
    assert (told.status, "the cluster has what Git wants. Its next change will not go out" in told.sentence) == ("nothing", True)
    assert [one.mode for one in shop.found()] == ["deny"]
    shop.push(BAD.replace("'1'", "'3'"))
    assert shop.told().status == "policy-refused"


def test_a_binding_may_stop_what_runs_at_once(shop: Shop) -> None:
    shop.applied()
    spec = {"policySet": "house", "mode": "deny", "enforce": "now"}
    where = {"tenant_id": shop.fleet.tenant, "project_id": None, "policy_set": "house"}
    shop.fleet.add(policy_tables.policy_bindings, **where, name="strict", spec=spec)
    shop.set_mode("warn")
    assert shop.told().status == "policy-refused"
