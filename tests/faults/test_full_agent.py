"""No room below an agent's state folder: what runs is kept, new work waits and is done when there is room."""

import secrets
import signal

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults
from tests.support import waiting


def test_an_agent_without_room_keeps_the_cluster_and_takes_up_work_when_there_is_some(install: e2e.Install, tenant: e2e.Tenant) -> None:
    folder = install.made.folder / "agent-east"
    agent = faults.restarted(install, "agent-east", how=signal.SIGTERM, changed=faults.with_small_disk(folder, size="1m"))
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    later = sources.web("later") | {"web/noise.yaml": sources.config(secrets.token_hex(40_000), name="noise")}
    with faults.full(agent, folder):
        install.git.commit(tenant.name, later, "Later, and larger")
        app.refresh()
        waiting.until(lambda: "make room in the agent's state folder" in agent.log.read_text(), lambda: agent.log.read_text()[-2000:])
        app.says("agent-troubled", "the agent of cluster east takes no tasks", "make room in the agent's state folder")
        install.kubes["east"].delete(f"/api/v1/namespaces/{app.namespace}/configmaps/web").raise_for_status()
        waiting.until(lambda: sources.greeting(tenant, app.namespace) == "hello")
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "later", lambda: agent.log.read_text()[-2000:])
    app.healthy()
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 2)
    assert agent.popen.poll() is None
    assert "agent.failed" not in agent.log.read_text()
