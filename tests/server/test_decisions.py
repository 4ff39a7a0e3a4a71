"""Decision records: one for each release under policies, found by who may read it, and made again to the same digest."""

import datetime as dt
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access, errors
from plane.domain.judging import bounds, policy
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import decisions, explain, tracing
from plane.server.delivering import sweep
from plane.store.layout import decision_tables, policy_tables, tables
from plane.wire import decisions as wire
from tests.support import planes

RULES = policy.policy_files(
    "house",
    {
        "own.rego": 'package plane.rules.W01\n\nviolations contains {"message": "no"} if input.manifest.kind == "ConfigMap"\n',
        "other.rego": "package plane.rules.W02\n\nrelease_violations contains "
        '{"message": sprintf("may use %v", [input.project.namespaces])} if input.context.commit == ""\n',
    },
)
MANY = policy.policy_files(
    "many",
    {
        "many.rego": "package plane.rules.many\n\nrelease_violations contains "
        '{"message": sprintf("%d\\u0000%s", [number, long])} if {\n\tsome number in numbers.range(1, 3000)\n}\n\n'
        'long := concat("", [text | some _ in numbers.range(1, 300); text := "0123456789"])\n'
    },
)
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
NAMES = authorise.Names("acme")


def caller(fleet: planes.Fleet) -> authorise.Caller:
    return authorise.Caller(access.Actor(fleet.tenant, "cy", grants=(access.Grant("viewer", fleet.tenant),)))


def judged(fleet: planes.Fleet, devgit: DevGit, files: policy.PolicyFiles = RULES, **spec: Any) -> list[wire.Decision]:  # noqa: ANN401
    """One app that was looked at under a set; its decisions."""
    fleet.add(tables.policy_sets, tenant_id=fleet.tenant, name=files.name, digest=files.digest, files=files.files, spec=spec)
    name = f"decided-{fleet.tenant[-12:]}"
    url = devgit.create(name, planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, name), url)
    fleet.work()
    return listed(fleet)


def listed(fleet: planes.Fleet, **query: Any) -> list[wire.Decision]:  # noqa: ANN401 - fields of the query
    return list(decisions.page(fleet.plane, caller(fleet), NAMES, wire.DecisionQuery(**query)).items)


def replayed(fleet: planes.Fleet, identity: str) -> wire.DecisionReplay:
    return decisions.replay(fleet.plane, caller(fleet), NAMES, identity)


def test_a_release_is_decided_about_once_and_decided_again_alike(fleet: planes.Fleet, devgit: DevGit) -> None:
    [made] = judged(fleet, devgit)
    fleet.work()
    assert listed(fleet) == [made]
    assert (made.verdict, made.violations, made.app, made.trigger, made.engine[:4]) == ("denied", 1, "web", "created", "opa ")
    again = replayed(fleet, made.id)
    assert (again.identical, again.missing, again.notes, again.differences) == (True, (), (), ())


def test_every_rule_has_an_outcome_and_explain_quotes_the_decision(fleet: planes.Fleet, devgit: DevGit) -> None:
    [made] = judged(fleet, devgit)
    whole = decisions.one(fleet.plane, caller(fleet), NAMES, made.id)
    assert [(one.rule, one.outcome, one.mode) for one in whole.rules] == [("W01", "violation", "deny"), ("W02", "pass", "")]
    told = explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web")
    assert told.facts["policy decision"] == made.id


def test_a_waiver_is_named_and_replayed_after_its_end(fleet: planes.Fleet, devgit: DevGit) -> None:
    end = fleet.plane.clock.now() + dt.timedelta(hours=1)
    spec = {"policy": "house", "rule": "W01", "reason": "for now", "expiresAt": end.isoformat()}
    who = {"requester_id": fleet.tenant, "requested_by": "ann", "approved_by": "bo"}
    fleet.add(policy_tables.waivers, tenant_id=fleet.tenant, project_id=fleet.project, name="once", spec=spec, ends_at=end, **who)
    [made] = judged(fleet, devgit)
    assert isinstance(fleet.plane.clock, planes.MovableClock)
    fleet.plane.clock.ahead += dt.timedelta(days=1)
    assert (made.waivers, replayed(fleet, made.id).identical) == (("shop/once",), True)


def test_a_set_that_was_replaced_is_still_there_to_replay_and_one_that_is_not_kept_is_named(fleet: planes.Fleet, devgit: DevGit) -> None:
    [made] = judged(fleet, devgit)
    with fleet.owner.begin() as tx:
        tx.execute(sa.delete(tables.policy_sets))
    assert replayed(fleet, made.id).identical
    with fleet.owner.begin() as tx:
        tx.execute(sa.delete(decision_tables.policy_grounds).where(decision_tables.policy_grounds.c.digest == RULES.digest))
        tx.execute(sa.delete(tables.blobs))
    assert replayed(fleet, made.id).missing == (
        "the objects of the release are no longer kept",
        f"policy set house ({RULES.digest[:19]}) was removed, and its text is no longer kept",
    )


def test_another_engine_is_said_and_compared_anyway(fleet: planes.Fleet, devgit: DevGit) -> None:
    [made] = judged(fleet, devgit)
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(decision_tables.decisions).values(engine="opa 0.1", outcome="sha256:other"))
    again = replayed(fleet, made.id)
    assert (again.identical, again.notes) == (False, (f"the engine was opa 0.1 and is {made.engine}",))


def test_too_many_violations_are_counted_and_long_ones_cut_and_none_has_what_no_database_keeps(fleet: planes.Fleet, devgit: DevGit) -> None:
    [made] = judged(fleet, devgit, MANY)
    whole = decisions.one(fleet.plane, caller(fleet), NAMES, made.id)
    assert (made.violations, len(whole.judged), whole.left_out) == (3000, bounds.MOST, {"deny": 3000 - bounds.MOST})
    assert "2,999 more" in made.sentence
    assert max(len(one.violation.message) for one in whole.judged) <= bounds.TEXT
    assert all("\N{REPLACEMENT CHARACTER}" in one.violation.message for one in whole.judged)
    assert replayed(fleet, made.id).identical


def test_pages_and_filters_narrow(fleet: planes.Fleet, devgit: DevGit) -> None:
    [made] = judged(fleet, devgit)
    with fleet.owner.begin() as tx:
        row = tx.execute(sa.select(decision_tables.decisions)).one()._asdict()
        older = [row | {"id": fleet.plane.clock.id(), "made_at": row["made_at"] - dt.timedelta(days=n), "word": "warned"} for n in (1, 2)]
        tx.execute(sa.insert(decision_tables.decisions), older)
    first = decisions.page(fleet.plane, caller(fleet), NAMES, wire.DecisionQuery(limit=2))
    last = decisions.page(fleet.plane, caller(fleet), NAMES, wire.DecisionQuery(limit=2, cursor=first.next))
    assert [one.id for one in (*first.items, *last.items)] == [made.id, *(one["id"] for one in older)]
    assert (len(listed(fleet, verdict="warned")), listed(fleet, app="web", project="shop", verdict="error")) == (2, [])


def test_who_reads_one_app_sees_its_decisions_alone(fleet: planes.Fleet, devgit: DevGit) -> None:
    [made] = judged(fleet, devgit)
    [own] = fleet.row("SELECT id FROM apps")
    mine, other = (
        authorise.Caller(access.Actor(fleet.tenant, "cy", grants=(access.Grant("viewer", fleet.tenant, fleet.project, app),)))
        for app in (str(own), fleet.tenant)
    )
    shown = [decisions.page(fleet.plane, who, NAMES, wire.DecisionQuery()).items for who in (mine, other)]
    assert [[one.id for one in each] for each in shown] == [[made.id], []]
    with pytest.raises(errors.NotFound):
        decisions.one(fleet.plane, other, NAMES, made.id)


def test_old_decisions_go_but_an_apps_own_stays(fleet: planes.Fleet, devgit: DevGit) -> None:
    [made] = judged(fleet, devgit)
    with fleet.owner.begin() as tx:
        row = tx.execute(sa.select(decision_tables.decisions)).one()._asdict()
        tx.execute(sa.insert(decision_tables.decisions).values(row | {"id": fleet.plane.clock.id()}))
        tx.execute(sa.update(decision_tables.decisions).values(made_at=fleet.plane.clock.now() - sweep.DECIDED - dt.timedelta(days=1)))
    sweep.sweep(fleet.plane)
    assert [one.id for one in listed(fleet)] == [made.id]


def test_a_cursor_of_nobodys_is_refused(fleet: planes.Fleet) -> None:
    with pytest.raises(errors.Invalid, match="cursor"):
        decisions.page(fleet.plane, caller(fleet), NAMES, msgspec.structs.replace(wire.DecisionQuery(), cursor="YWJj"))


def explained(fleet: planes.Fleet, identity: str, **query: Any) -> wire.DecisionExplanation:  # noqa: ANN401 - fields of the query
    return tracing.explain(fleet.plane, caller(fleet), NAMES, identity, wire.ExplanationQuery(**query))


def test_a_decision_is_explained_by_the_lines_of_its_rules(fleet: planes.Fleet, devgit: DevGit) -> None:
    (kept,) = judged(fleet, devgit, mode="deny")
    found, silent = explained(fleet, kept.id), explained(fleet, kept.id, rule="W02")
    (line,) = found.items[0].definitions[0].lines
    assert (found.items[0].rule, found.items[0].object, found.items[0].found) == ("W01", "ConfigMap shop/web", ("no",))
    assert (line.held, line.samples[0].values) == (1, {"input.manifest.kind": '"ConfigMap"'})
    assert [(one.rule, one.found, one.definitions[0].lines[0].failed) for one in silent.items] == [("W02", (), 1)]
    with pytest.raises(errors.Invalid, match="has a rule 'W99'"):
        explained(fleet, kept.id, rule="W99")


def test_another_tenants_decision_cannot_be_explained(fleet: planes.Fleet, devgit: DevGit) -> None:
    (kept,) = judged(fleet, devgit, mode="deny")
    stranger = authorise.Caller(access.Actor(fleet.cluster, "eve", grants=(access.Grant("viewer", fleet.cluster),)))
    with pytest.raises(errors.NotFound):
        tracing.explain(fleet.plane, stranger, NAMES, kept.id, wire.ExplanationQuery())


def test_what_is_no_longer_kept_is_not_explained(fleet: planes.Fleet, devgit: DevGit) -> None:
    (kept,) = judged(fleet, devgit, mode="deny")
    with fleet.owner.begin() as tx:
        tx.execute(sa.delete(decision_tables.policy_grounds).where(decision_tables.policy_grounds.c.tenant_id == fleet.tenant))
    said = explained(fleet, kept.id)
    assert (said.items, bool(said.missing)) == ((), True)
