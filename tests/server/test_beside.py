"""What rules are told of the database: what the cluster keeps of an app, and who else keeps what."""

from typing import Any

import sqlalchemy as sa

from plane.adapters import opa_files
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


def hold(fleet: planes.Fleet, rule: str, *, tenant: str = "", **spec: Any) -> None:  # noqa: ANN401 - fields of the spec
    """One of the rules that come with the plane, in force for a tenant."""
    files = policy.policy_files("house", {f"{rule}.rego": SHIPPED[f"{rule}.rego"]})
    fleet.add(tables.policy_sets, tenant_id=tenant or fleet.tenant, name="house", digest=files.digest, files=files.files, spec=spec)


def again(fleet: planes.Fleet) -> None:
    """Look at everything once more."""
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.repositories).values(poll_at=fleet.plane.clock.now()))
        tx.execute(sa.update(tables.apps).values(due_at=fleet.plane.clock.now()))
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
