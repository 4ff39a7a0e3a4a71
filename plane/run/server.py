"""`plane server`: the REST API and the agents' endpoints. Stateless; run several behind one address."""

import socket
import ssl
import sys
import threading

import click
import structlog
import uvicorn

from plane import config
from plane.api import app, wake
from plane.domain import errors
from plane.run import heap, peers, wiring
from plane.server import context, renewals
from plane.server.auditing import visits

log = structlog.get_logger()

BACKLOG = 1024
KEEP_ALIVE_S = 75  # longer than an agent's long poll and than common load balancers' idle time
RENEW_S = 10.0  # between two looks at which log-ins are to be asked about again
DRAIN_S = 10  # what a request under way may still take; those that only wait are answered at once


def _renew(plane: context.Plane, ending: threading.Event) -> None:
    """Servers ask, since they know the operator's providers; a round that did not come to its end is taken up by the next."""
    while not ending.wait(RENEW_S):
        try:
            while renewals.renew_due(plane) and not ending.is_set():
                pass
        except errors.PlaneError as e:
            log.warning("renewals.delayed", reason=str(e))


class Draining(uvicorn.Server):
    """Answers those who wait as soon as it is asked to end."""

    def __init__(self, made: uvicorn.Config, hub: wake.Hub) -> None:
        super().__init__(made)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.drain()
        await super().shutdown(sockets)


@click.command("server")
def command() -> None:
    """Serve the API."""
    settings = config.load()
    with wiring.plane(settings) as plane:
        served = app.create(plane, database_url=settings.database_url)
        made = uvicorn.Config(
            served,
            host=settings.host,
            port=settings.port,
            ssl_certfile=settings.tls_cert or None,
            ssl_keyfile=settings.tls_key or None,
            loop="uvloop",
            ssl_ca_certs=settings.tls_client_ca or None,
            ssl_cert_reqs=ssl.CERT_OPTIONAL if settings.tls_client_ca else ssl.CERT_NONE,  # people come without one
            http=peers.behind(wiring.networks(settings, "tls_proxies")),
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
            access_log=False,
            log_config=None,
            server_header=False,
        )
        server = Draining(made, served.state.hub)
        heap.settle()
        visits.life(plane, "plane.started", "server")
        ending = threading.Event()
        asking = threading.Thread(target=_renew, args=(plane, ending), name="renew", daemon=True)
        asking.start()
        server.run()
        ending.set()
        asking.join(DRAIN_S)
        visits.life(plane, "plane.stopped", "server")
        if not server.started:
            sys.exit(3)
