"""`plane agent run`: the program in each cluster. Reads its options and the environment, then hands over to plane.agent."""

import asyncio
import contextlib
import datetime as dt
import pathlib
import signal
import sys

import click
import structlog
import uvloop

from plane import config, groups, log
from plane.adapters import link
from plane.adapters.cluster import kube
from plane.agent import active
from plane.agent.kept import identity, own
from plane.domain import errors
from plane.domain.rendering import secrets
from plane.run import heap

RETRY_S = 5.0  # the first look at cluster and plane; once enrolled, the agent itself waits for both

logger = structlog.get_logger()


@click.group(cls=groups.Group, name="agent")
def command() -> None:
    """The program in each cluster."""


@command.command()
@click.option("--plane", "plane_url", envvar="PLANE_URL", required=True, help="URL of the plane, https://…")
@click.option(
    "--plane-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path),
    help="PEM file of certificate authorities to trust for the plane; default: the system's.",
)
@click.option(
    "--certificate-file",
    envvar="PLANE_CERTIFICATE_FILE",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    help="PEM file: client certificate for the plane; read again when it changes.",
)
@click.option(
    "--certificate-key-file",
    envvar="PLANE_CERTIFICATE_KEY_FILE",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    help="PEM file: its private key.",
)
@click.option(
    "--join-token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path),
    help="One-time token for the first start; or PLANE_JOIN_TOKEN.",
)
@click.option("--join-token", envvar="PLANE_JOIN_TOKEN", hidden=True)
@click.option("--kubeconfig", default="", help="kubeconfig of the cluster; default: in-cluster.")
@click.option("--context", default="", help="Context of the kubeconfig.")
@click.option("--namespace", default="gitops-plane", show_default=True, help="Namespace of the agent's own objects.")
@click.option("--state-dir", type=click.Path(file_okay=False, path_type=pathlib.Path), help="Folder for the last accepted releases.")
@click.option(
    "--key-life-days",
    default=90,
    show_default=True,
    type=click.IntRange(0, 3650),
    help="Life of the agent's keys, which are replaced at a third of it; 0: never.",
)
@click.option("--rotate-keys-days", type=click.IntRange(0, 3650), hidden=True, help="As charts before --key-life-days said it.")
@click.option(
    "--request-timeout",
    default=60,
    show_default=True,
    type=click.IntRange(5, 600),
    help="Timeout of a Kubernetes API request, in seconds; a watch silent for 1.5 times as long is restarted.",
)
@click.option(
    "--claim-wait",
    default=30,
    show_default=True,
    type=click.IntRange(1, 60),
    help="Seconds a long poll waits for work; lower it if a proxy in front of the plane cuts idle requests.",
)
@click.option("--log-level", default="info", show_default=True, type=click.Choice(["debug", "info", "warning", "error"]))
def run(**given: object) -> None:
    """Run the agent: join a plane and apply its releases to this cluster."""
    log.configure(level=str(given["log_level"]))
    heap.settle()
    try:
        uvloop.run(_main(given))
    except errors.PlaneError as e:
        click.echo(f"plane agent: {e}", err=True)
        sys.exit(1)


@command.command()
@click.option("--kubeconfig", default="", help="kubeconfig of the agent's cluster; default: in-cluster.")
@click.option("--context", default="", help="Context of the kubeconfig.")
@click.option("--namespace", default="gitops-plane", show_default=True, help="Namespace of the agent's own objects.")
def rotate(kubeconfig: str, context: str, namespace: str) -> None:
    """Replace the running agent's keys, for example after its Secret leaked; the old ones end once the plane has the new ones."""
    log.configure(level="warning")
    try:
        uvloop.run(_ask_to_rotate(kubeconfig, context, namespace))
    except errors.PlaneError as e:
        click.echo(f"plane agent: {e}", err=True)
        sys.exit(1)
    click.echo("asked for; the agent's log says keys.rotated, the plane's audit log agent.keys.rotated")


async def _ask_to_rotate(kubeconfig: str, context: str, namespace: str) -> None:
    api = await kube.connect(kubeconfig, context=context)
    try:
        await identity.ask_to_rotate(own.Home(api, namespace))
    finally:
        await api.close()


async def _main(given: dict[str, object]) -> None:
    ca = given["plane_ca"]
    state_dir = given["state_dir"] or pathlib.Path(config.default_state()) / "agent"
    setup = active.Setup(str(given["namespace"]), pathlib.Path(str(state_dir)), _life(given), _token(given))
    api = await kube.connect(str(given["kubeconfig"]), context=str(given["context"]), answer_s=float(str(given["request_timeout"])))
    trusted = ca.read_text() if isinstance(ca, pathlib.Path) else ""
    wait_s = int(str(given["claim_wait"]))
    plane = link.connect(str(given["plane_url"]), ca_pem=trusted, claim_wait_s=wait_s, certificate=_certificate(given))
    try:
        await _until_signal(api, plane, setup)
    finally:
        await plane.close()
        await api.close()


async def _until_signal(api: kube.Api, plane: link.Plane, setup: active.Setup) -> None:
    """SIGTERM and SIGINT cancel the agent, which ends what it has begun."""
    running = asyncio.create_task(_insist(api, plane, setup))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    logger.info("agent.stopped")


async def _insist(api: kube.Api, plane: link.Plane, setup: active.Setup) -> None:
    """Start again while the cluster or the plane is not there yet; a refusal is final."""
    while True:
        try:
            await active.run(api, plane, setup)
        except* (kube.Unreachable, link.PlaneAway) as away:
            logger.warning("agent.delayed", reason=str(away.exceptions[0]))
        except* errors.PlaneError as final:
            if not _passing(final.exceptions[0]):
                raise final.exceptions[0] from None
            logger.warning("agent.delayed", reason=str(final.exceptions[0]))
        except* Exception:  # the cluster keeps its agent whatever one turn ran into; a restart takes up all work from cluster and disk
            logger.exception("agent.failed")
        await asyncio.sleep(RETRY_S)


def _certificate(given: dict[str, object]) -> link.Certificate | None:
    certificate, key = given["certificate_file"], given["certificate_key_file"]
    if isinstance(certificate, pathlib.Path) and isinstance(key, pathlib.Path):
        return link.Certificate(certificate, key)
    if certificate or key:
        raise click.UsageError("--certificate-file and --certificate-key-file go together")
    return None


def _life(given: dict[str, object]) -> dt.timedelta:
    rotated = given["rotate_keys_days"]
    return dt.timedelta(days=rotated * 3 if isinstance(rotated, int) else int(str(given["key_life_days"])))


def _passing(error: BaseException) -> bool:
    """Whether the API server may answer otherwise in a moment."""
    return isinstance(error, kube.KubeRefused) and (error.status == 429 or error.status >= 500)  # noqa: PLR2004 - "later" and "my fault", RFC 9110


def _token(given: dict[str, object]) -> secrets.Secret | None:
    file = given["join_token_file"]
    text = file.read_text() if isinstance(file, pathlib.Path) else str(given["join_token"] or "")
    return secrets.Secret(text.strip().encode()) if text.strip() else None
