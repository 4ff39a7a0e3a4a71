"""No room below a worker's mirrors: apps keep what they have, the reason is told, and a push arrives when there is room."""

import signal

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults
from tests.support import waiting


def test_a_worker_without_room_for_mirrors_says_so_and_goes_on_when_there_is_some(install: e2e.Install, tenant: e2e.Tenant) -> None:
    folder = install.made.folder / "state" / "mirrors"
    worker = faults.restarted(install, "worker", how=signal.SIGTERM, changed=faults.with_small_disk(folder, size="4m"))
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    with faults.full(worker, folder):
        install.git.commit(tenant.name, sources.web("later"), "Later")
        app.refresh()
        assert app.says("source-failed", "No space left on device")["since"]
        other = tenant.app("other", tenant.repository(f"{tenant.name}-other", {"other/config.yaml": sources.config("hello")}))
        assert other.says("source-failed", "No space left on device")["since"]
        assert sources.greeting(tenant, app.namespace) == "hello"
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "later", lambda: str(app.explain()))
    other.healthy()
    assert worker.popen.poll() is None
