"""What agents put right by themselves stands in the audit log, as a sentence."""

import pytest

from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.wire import agent
from tests.support import planes

CONFIG = planes.files("web", config="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
KEY = agent.Key("", "ConfigMap", "shop", "web")


@pytest.mark.parametrize(
    ("extra", "failed", "sentence"),
    [
        (False, "", "ConfigMap shop/web changed by kubectl-edit was put back"),
        (True, "", "what kubectl-edit added to ConfigMap shop/web was removed"),
        (True, "a webhook says no", "what kubectl-edit added to ConfigMap shop/web could not be removed: a webhook says no"),
    ],
    ids=["changed", "added", "failed"],
)
def test_a_heal_is_told_as_a_sentence(fleet: planes.Fleet, devgit: DevGit, extra: bool, failed: str, sentence: str) -> None:  # noqa: FBT001 a case
    repository = f"heals-{len(sentence)}"  # one per case: the server of repositories outlives them
    url = devgit.create(repository, CONFIG)
    fleet.app("web", fleet.repository(devgit, repository), url)
    fleet.work()
    [(task, _)] = fleet.claim()
    healed = agent.Healed(key=KEY, at=1.0, action="update", fields=("/data/a",), manager="kubectl-edit", failed=failed, extra=extra)
    told = agent.AppState(app_id=task.app_id, generation=task.generation, release="", sync="Synced", health="Healthy", healed=(healed,))
    intake.state(fleet.plane, fleet.identity, agent.State(apps=(told,)))
    event = fleet.row("SELECT body, project_id FROM audit_events WHERE type = 'app.drift.healed'")
    assert sentence in str(event.body)
    assert str(event.project_id) == fleet.project  # who may read the project's part of the log alone reads it
