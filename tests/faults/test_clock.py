"""An agent whose clock steps away from the plane's: it keeps its cluster, the reason is told, and all is well when the clock is."""

import pathlib

import pytest
import sqlalchemy as sa

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults
from tests.support import waiting

STEPPED = str(pathlib.Path(__file__).with_name("stepped.py"))
YEAR_S = 365 * 86_400


@pytest.fixture(scope="module")
def ahead(install: e2e.Install) -> pathlib.Path:
    """The file that steps the agent's clock."""
    file = install.made.folder / "ahead"
    file.write_text("0")
    faults.restarted(install, "agent-east", changed=lambda argv: [argv[0], STEPPED, str(file), *argv[1:]])
    return file


@pytest.mark.slow  # who was refused asks again after 15 s
@pytest.mark.parametrize("seconds", [YEAR_S, -YEAR_S], ids=["a-year", "a-year-back"])
def test_a_push_while_the_agents_clock_is_wrong_arrives_once(
    install: e2e.Install, tenant: e2e.Tenant, ahead: pathlib.Path, seconds: int
) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    log = faults.child(install, "agent-east").log
    told = log.stat().st_size
    ahead.write_text(str(seconds))
    kube = install.kubes["east"]
    kube.delete(f"/api/v1/namespaces/{app.namespace}/configmaps/web").raise_for_status()  # it is healed, and the plane shall hear of it
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "hello")
    waiting.until(lambda: "compare the clocks" in log.read_text()[told:], lambda: log.read_text()[-2000:])
    install.git.commit(tenant.name, sources.web("later"), "Later")
    app.refresh()
    app.says("syncing")
    with faults.rows(install) as tx:
        tx.execute(sa.text("UPDATE agents SET last_seen_at = now() - interval '10 minutes'"))
    app.says("agent-away", "the agent of cluster east was last heard of at")
    ahead.write_text("0")
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "later", lambda: log.read_text()[-2000:])
    app.healthy()
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 2, lambda: str(app.explain()))
