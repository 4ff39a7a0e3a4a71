"""The only place that knows which adapter fills which port."""

import contextlib
import ipaddress
import os
import pathlib
from collections.abc import Iterator, Mapping

import structlog

from plane import config, log, ports
from plane.adapters import clock, reach
from plane.adapters.git import mirrors, transport, witness
from plane.adapters.judging import opa, opa_files
from plane.adapters.registry import repository
from plane.adapters.renderers import helm, kustomize, plain
from plane.adapters.sandbox import pool
from plane.adapters.scripting import scripts
from plane.adapters.secrets import passwords, sealing, sops, vault
from plane.adapters.sinks import files, http, plane_witness, s3, syslog, timestamps
from plane.adapters.trusting import oidc, signer
from plane.domain.granting import limits as rates
from plane.run import login_file, master_key, policy_keys
from plane.server import context, limits
from plane.store import engine, revisions

TENANTS_RENDERING = 3  # one tenant's slow renders take a third of the places, so two such tenants leave room for a third


def threads(settings: config.Settings) -> int:
    """Renders side by side: a core's worth for one tenant, so that one alone loses nothing by it."""
    return settings.workers or TENANTS_RENDERING * (os.cpu_count() or 2)


@contextlib.contextmanager
def plane(settings: config.Settings) -> Iterator[context.Plane]:
    """Everything a server or worker needs, closed at the end; SettingInvalid, ProgramMissing or SchemaMismatch tell what is not there."""
    log.configure(level=settings.log_level, pretty=settings.log_pretty)
    database = engine.connect(_needed(settings.database_url, "DATABASE_URL"))
    revisions.require(database)
    private = networks(settings, "git_networks")
    repositories = mirrors.Mirrors(settings.state() / "mirrors", transport=transport.Transport(allowed=private))
    renderers = {
        one.name: one for one in (helm.Helm(config.program("helm")), kustomize.Kustomize(config.program("kustomize")), plain.Plain())
    }
    policies = opa.Opa(config.program("opa"), opa_files.shipped().base)
    own = scripts.Scripts()
    closed = contextlib.closing
    with pool.Pool(renderers, size=threads(settings)) as sandbox, closed(policies), closed(repositories), closed(own):
        for sentence in sandbox.missing_protections():
            structlog.get_logger().warning("sandbox.weakened", reason=sentence)
        yield context.Plane(
            engine=database,
            clock=clock.SystemClock(),
            git=repositories,
            registry=repository.opener(reach.Reach(private, what="registry")),
            renderers=renderers,
            pool=sandbox,
            sops=sops.Sops(config.program("sops")),
            vault=vault.Vault(vault.Sessions()),
            sealer=sealing.Hpke(),
            envelope=master_key.envelope_of(settings),
            policies=policies,
            scripts=own,
            signer=signer.FileSigner(pathlib.Path(_needed(settings.signing_key_file, "PLANE_SIGNING_KEY_FILE"))),
            log_signer=master_key.log_signer_of(settings),
            plane_id=settings.plane_id,
            identities=oidc.Oidc(networks(settings, "login_networks")),
            passwords=passwords.Argon2(),
            policy_keys=policy_keys.load(settings.policy_keys_file),
            logins=login_file.load(settings.login_file),
            sinks=sinks(settings),
            limits=limits.Limits(_rates(settings)),
        )
    database.dispose()


def _rates(settings: config.Settings) -> rates.Rates:
    return rates.Rates(token=settings.rate_token, tenant=settings.rate_tenant, address=settings.rate_address, agent=settings.rate_agent)


def sinks(settings: config.Settings) -> Mapping[str, ports.Sink]:
    """Every place that an audit log can be sent to."""
    way, now = reach.Reach(networks(settings, "sink_networks")), clock.SystemClock()
    return {
        "webhook": http.WebhookSink(way, now),
        "otlp": http.OtlpSink(way),
        "syslog": syslog.SyslogSink(way),
        "s3": s3.S3Sink(way, now),
        "file": files.FileSink(settings.state() / "audit"),
        "plane": plane_witness.PlaneSink(way),
        "timestamp": timestamps.TimestampSink(way),
        "git": witness.GitSink(transport.Transport(allowed=networks(settings, "sink_networks"))),
    }


def networks(settings: config.Settings, name: str) -> tuple[reach.Network, ...]:
    """The networks that a setting names; SettingInvalid."""
    try:
        return tuple(ipaddress.ip_network(word.strip()) for word in getattr(settings, name).split(",") if word.strip())
    except ValueError as e:
        message = f"the environment variable {config.PREFIX}{name.upper()} must hold networks, such as 10.0.0.0/8, with commas between: {e}"
        raise config.SettingInvalid(message) from e


def _needed(value: str, name: str) -> str:
    if not value:
        message = f"{name} is not set; `plane up` sets everything for one machine, docs/operations.md lists what a real installation needs"
        raise config.SettingInvalid(message)
    return value
