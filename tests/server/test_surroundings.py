"""What rules are told of the project, its cluster and the source, and that a verdict goes by what is known now."""

import sqlalchemy as sa

from plane.domain.judging import policy
from plane.run.devgit import DevGit
from plane.server.asking import explain
from plane.store.layout import tables
from plane.wire import agent
from tests.support import planes

TELLS = policy.policy_files(
    "own",
    {
        "own.rego": """package plane.rules.own

release_violations contains {"message": sprintf("may use %v", [input.project.namespaces])}

release_violations contains {"message": sprintf("serves %v", [input.cluster.kinds["apps/Deployment"]])}

release_violations contains {"message": sprintf("%v in the clear", [pointers]), "object": to_number(number)} if {
	some number, pointers in input.clear
}

release_violations contains {"message": sprintf("at %s, signature %s", [input.context.revision, input.context.signature])}
"""
    },
)
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {user: web}\ndata: {greeting: aGVsbG8=, none: ''}\n"
PLAIN = planes.files("web", secret=SECRET)
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {found: '%s'}\n"


def serve(fleet: planes.Fleet, *versions: str) -> None:
    """The agent has said what its cluster serves."""
    kinds = tuple(agent.Kind("apps", version, "Deployment", namespaced=True) for version in versions)
    told = agent.encode(agent.Capabilities(kube_version="v1.33.1", agent_version="1", kinds=kinds))
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.clusters).values(capabilities=told))


def said(fleet: planes.Fleet) -> dict[str, list[str]]:
    """Messages by object."""
    found: dict[str, list[str]] = {}
    for one in explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web").violations:
        found.setdefault(one.violation.object, []).append(one.violation.message)
    return found


def start(fleet: planes.Fleet, devgit: DevGit, repository: str, files: policy.PolicyFiles, tree: dict[str, bytes] = PLAIN) -> None:
    fleet.add(tables.policy_sets, tenant_id=fleet.tenant, name="own", digest=files.digest, files=files.files, spec={"mode": "warn"})
    url = devgit.create(repository, tree)
    fleet.app("web", fleet.repository(devgit, repository), url)


def again(fleet: planes.Fleet) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.apps).values(due_at=fleet.plane.clock.now()))
    fleet.work()


def test_rules_are_told_what_they_read_and_told_again_when_it_changes(fleet: planes.Fleet, devgit: DevGit) -> None:
    serve(fleet, "v1")
    start(fleet, devgit, "told", TELLS)
    fleet.work()
    assert said(fleet) == {
        "Secret shop/web": ['["/data/user", "/data/greeting"] in the clear'],
        "the release": ["at main, signature none", 'may use ["shop", "acme-*"]', 'serves {"namespaced": true, "versions": ["v1"]}'],
    }
    serve(fleet, "v1", "v2")
    again(fleet)
    assert said(fleet)["the release"][-1] == 'serves {"namespaced": true, "versions": ["v1", "v2"]}'


ORIGIN = policy.policy_files(
    "own",
    {
        "own.rego": """package plane.rules.own

release_violations contains {"message": sprintf("%s of a %s at %s, moving: %v", [one.path, one.kind, one.revision, one.floating])} if {
	some one in input.source.origins
}

release_violations contains {"message": sprintf("calls %v", [input.source.functions])}

release_violations contains {"message": sprintf("%s by %q in %s", [input.context.trigger, input.context.actor, input.context.environment])}
"""
    },
)
CHART = {
    "web/Chart.yaml": b"apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "web/templates/a.yaml": (MAP % '{{ lookup "v1" "Secret" "shop" "web" }}').encode(),
}


def test_rules_are_told_of_the_source_and_of_who_asks_for_as_long_as_somebody_does(fleet: planes.Fleet, devgit: DevGit) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.clusters).values(spec={"labels": {"env": "production"}}))
    start(fleet, devgit, "origin", ORIGIN, CHART)
    fleet.work()
    known = ['calls ["lookup"]', "web of a helm at main, moving: true"]
    assert said(fleet)["the release"] == ['automated by "" in production', *known]
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.apps).values(request={"actor": "acme/ada", "trigger": "manual"}))
    again(fleet)
    made = fleet.row("SELECT verdict FROM releases ORDER BY created_at DESC LIMIT 1").verdict["judged"]
    assert 'manual by "acme/ada" in production' in [one["violation"]["message"] for one in made]


def test_what_no_rule_reads_makes_no_new_release(fleet: planes.Fleet, devgit: DevGit) -> None:
    serve(fleet, "v1")
    start(
        fleet,
        devgit,
        "untold",
        policy.policy_files("own", {"own.rego": 'package plane.rules.own\n\nviolations contains {"message": "seen"}\n'}),
    )
    fleet.work()
    before = fleet.row("SELECT count(*) FROM releases")
    serve(fleet, "v1", "v2")
    again(fleet)
    assert fleet.row("SELECT count(*) FROM releases") == before
