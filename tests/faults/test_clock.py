"""An agent whose clock steps away from the plane's, and back: it goes by the plane's, and says so."""

import pathlib

import pytest

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


@pytest.mark.parametrize("seconds", [YEAR_S, -YEAR_S], ids=["a-year", "a-year-back"])
def test_a_push_while_the_agents_clock_is_wrong_arrives_once(
    install: e2e.Install, tenant: e2e.Tenant, ahead: pathlib.Path, seconds: int
) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    log = faults.child(install, "agent-east").log
    for wrong_s, greeting in ((seconds, "later"), (0, "last")):
        told = log.stat().st_size
        ahead.write_text(str(wrong_s))
        install.git.commit(tenant.name, sources.web(greeting), "Another greeting")
        app.refresh()
        waiting.until(lambda: sources.greeting(tenant, app.namespace) == greeting, lambda: log.read_text()[-2000:])  # noqa: B023 - used at once
        app.healthy()
        waiting.until(lambda: "clock.followed" in log.read_text()[told:], lambda: log.read_text()[-2000:])  # noqa: B023 - used at once
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 3, lambda: str(app.explain()))
