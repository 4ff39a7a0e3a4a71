"""The line between agent and plane goes dead while its connections stay open; everything arrives once when there is a new one."""

from collections.abc import Iterator

import pytest

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults
from tests.support import cutline, waiting


@pytest.fixture
def line(install: e2e.Install) -> Iterator[cutline.Line]:
    """All that the agent and the plane have."""
    port = int(install.made.url.rpartition(":")[2])
    with cutline.start(("127.0.0.1", port)) as found:
        faults.restarted(install, "agent-east", changed=lambda argv: through(argv, f"https://127.0.0.1:{found.port}"))
        yield found


def through(argv: list[str], url: str) -> list[str]:
    """The agent's command with another address of the plane."""
    place = argv.index("--plane") + 1
    return [*argv[:place], url, *argv[place + 1 :]]


@pytest.mark.slow  # a waiting claim gives its connection up after 25 s
@pytest.mark.parametrize(("up", "down"), [(False, True), (True, False)], ids=["from-plane", "to-plane"])
def test_a_push_during_a_partition_arrives_once(
    install: e2e.Install, tenant: e2e.Tenant, line: cutline.Line, *, up: bool, down: bool
) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    line.cut(up=up, down=down)
    install.git.commit(tenant.name, sources.web("later"), "Later")
    app.refresh()
    app.says("syncing")
    install.kubes["east"].delete(f"/api/v1/namespaces/{app.namespace}/configmaps/web").raise_for_status()
    waiting.until(lambda: sources.greeting(tenant, app.namespace) != "")
    line.mend()
    log = faults.child(install, "agent-east").log
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "later", lambda: log.read_text()[-2000:])
    app.healthy()
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 2, lambda: str(app.explain()))
    assert app.status()["generation"] == 2
    if down:  # otherwise the claim that waited is answered, and nothing need have been said when the line comes back
        assert "does not answer" in log.read_text()
