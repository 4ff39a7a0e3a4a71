"""What rules are told of the database: what the cluster keeps of an app, and who else keeps what."""

from typing import Any

import sqlalchemy as sa

from plane.adapters.judging import opa_files
from plane.domain.judging import policy
from plane.run.devgit import DevGit
from plane.store.layout import tables
from tests.support import planes

SHIPPED = opa_files.shipped().texts
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "registry.example/web:1.4.2"}]}}
"""

ROUTE = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s}
spec: {rules: [{host: %s}]}
"""
EVERYBODYS = tables.NIL


def hold(fleet: planes.Fleet, rule: str, *, tenant: str = "", **spec: Any) -> None:  # noqa: ANN401 - fields of the spec
    """One of the rules that come with the plane, in force for a tenant."""
    files = policy.policy_files(rule, {f"{rule}.rego": SHIPPED[f"{rule}.rego"]})
    fleet.add(
        tables.policy_sets, tenant_id=tenant or fleet.tenant, name=rule.replace("_", "-"), digest=files.digest, files=files.files, spec=spec
    )


def again(fleet: planes.Fleet) -> None:
    """Look at the tenant's own once more."""
    with fleet.owner.begin() as tx:
        repositories, apps = tables.repositories, tables.apps
        tx.execute(sa.update(repositories).where(repositories.c.tenant_id == fleet.tenant).values(poll_at=fleet.plane.clock.now()))
        tx.execute(sa.update(apps).where(apps.c.tenant_id == fleet.tenant).values(due_at=fleet.plane.clock.now()))
    fleet.work()


def newest(fleet: planes.Fleet, app: str) -> tuple[str, list[str]]:
    """Digest, and what the verdict says, of the release that an app wants."""
    found = fleet.row("SELECT r.digest, r.verdict FROM app_states s JOIN releases r ON r.id = s.release_id WHERE s.app_id = :app", app=app)
    return found.digest, [one["violation"]["message"] for one in found.verdict["judged"]]


def test_a_release_is_judged_by_what_it_changes_and_not_again_once_the_cluster_keeps_it(fleet: planes.Fleet, devgit: DevGit) -> None:
    hold(fleet, "blast_radius", mode="warn", parameters={"G04": {"replicas": 50}})
    url = devgit.create("beside-changes", planes.files("web", web=WEB % 10))
    app = fleet.app("web", fleet.repository(devgit, "beside-changes"), url)
    fleet.work()
    first, said = newest(fleet, app)
    assert said == []
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.app_states).values(reported=first))
    devgit.commit("beside-changes", planes.files("web", web=WEB % 4), "Fewer")
    again(fleet)
    second, said = newest(fleet, app)
    assert said == ["replicas go from 10 to 4, and at most 50 % less are allowed at once"]
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.app_states).values(reported=second))
    again(fleet)
    assert newest(fleet, app) == (second, said)
    assert fleet.row("SELECT count(*) AS made FROM releases").made == 2


def names_of(one: planes.Fleet, app: str) -> list[str]:
    """What stands in the way of an app."""
    return newest(one, app)[1]


def start(fleet: planes.Fleet, devgit: DevGit, repository: str, **folders: dict[str, bytes]) -> list[str]:
    """An app for each folder, in their order."""
    url = devgit.create(repository, {path: text for files in folders.values() for path, text in files.items()})
    place = fleet.repository(devgit, repository)
    return [fleet.app(name, place, url) for name in folders]


def test_a_host_belongs_to_who_had_it_first_on_whichever_cluster_and_nobody_hears_whose_it_is(fleet: planes.Fleet, devgit: DevGit) -> None:
    hold(fleet, "hosts", tenant=EVERYBODYS)
    other = planes.make_fleet(fleet.plane, fleet.owner, tenant="globex", project="books", cluster="west")
    [first] = start(fleet, devgit, "beside-first", web=planes.files("web", route=ROUTE % ("web", "web.example")))
    fleet.work()
    url = devgit.create("beside-second", planes.files("api", route=ROUTE % ("api", "web.example")))
    place = {"destination": {"cluster": "west", "namespace": "globex-one"}}
    second = other.app("api", other.repository(devgit, "beside-second"), url, **place)
    other.work()
    assert names_of(fleet, first) == []
    assert names_of(other, second) == ['the host "web.example" belongs to another tenant (web.example)']
    again(fleet)
    assert names_of(fleet, first) == []
    with fleet.owner.begin() as tx:
        now = fleet.plane.clock.now()
        gone = {"deleted_at": now, "due_at": now, "request": {"actor": "acme/ada", "trigger": "orphan"}}
        tx.execute(sa.update(tables.apps).where(tables.apps.c.id == first).values(gone))
    fleet.work()
    assert names_of(other, second) == []


def test_an_object_belongs_to_the_older_app_of_one_push_and_its_owner_is_named_in_the_tenant(fleet: planes.Fleet, devgit: DevGit) -> None:
    hold(fleet, "foreign_objects")
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
    first, second = start(fleet, devgit, "beside-same", web=planes.files("web", config=config), api=planes.files("api", config=config))
    assert fleet.work() == 1
    assert (names_of(fleet, first), names_of(fleet, second)) == ([], ["the object belongs to shop/web"])
    devgit.commit("beside-same", {"web/config.yaml": None, **planes.files("web", other=config.replace("web", "other"))}, "Let it go")
    again(fleet)
    assert names_of(fleet, second) == []


def test_a_neighbour_that_takes_something_else_has_nothing_judged_again(fleet: planes.Fleet, devgit: DevGit) -> None:
    hold(fleet, "hosts")
    url = devgit.create("beside-apart", planes.files("web", route=ROUTE % ("web", "web.example")))
    place = fleet.repository(devgit, "beside-apart")
    fleet.app("web", place, url)
    fleet.work()
    devgit.commit("beside-apart", planes.files("api", route=ROUTE % ("api", "api.example")), "Another one")
    fleet.app("api", place, url)
    again(fleet)
    again(fleet)
    assert fleet.row("SELECT count(*) AS made FROM releases").made == 2
