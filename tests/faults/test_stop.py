"""An orderly end: whoever waits for the plane gets an answer, not a cut line."""

import signal
import threading

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults
from tests.support import waiting


def test_a_server_that_is_asked_to_end_answers_those_who_wait(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    begun, heard = threading.Event(), list[str]()

    def listen() -> None:
        headers = {"Authorization": f"Bearer {tenant.token}"}
        with install.http.stream("GET", f"{tenant.place}/apps/web/events", headers=headers, timeout=waiting.PATIENCE_S) as stream:
            for line in stream.iter_lines():  # a stream that is cut raises
                begun.set()
                heard.append(line)
            heard.append("the end")

    listener = threading.Thread(target=listen)
    listener.start()
    assert begun.wait(waiting.PATIENCE_S)
    faults.restarted(install, "server", how=signal.SIGTERM)  # the agent waits for work in it, too
    listener.join(waiting.PATIENCE_S)
    assert heard[-1] == "the end"
    waiting.until(lambda: faults.answers(install))
    app.healthy()
