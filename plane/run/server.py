"""`plane server`: the REST API and the agents' endpoints. Stateless; run several behind one address."""

import click
import uvicorn

from plane import config
from plane.api import app
from plane.run import wiring

BACKLOG = 1024
KEEP_ALIVE_S = 75  # longer than an agent's long poll and than common load balancers' idle time
DRAIN_S = 10  # open long polls are answered empty within it


@click.command("server")
def command() -> None:
    """Serve the API."""
    settings = config.load()
    with wiring.plane(settings) as plane:
        uvicorn.run(
            app.create(plane, database_url=settings.database_url),
            host=settings.host,
            port=settings.port,
            ssl_certfile=settings.tls_cert or None,
            ssl_keyfile=settings.tls_key or None,
            loop="uvloop",
            http="httptools",
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
            access_log=False,
            log_config=None,
            server_header=False,
        )
