"""The health checks that users made for this cluster: the plane's signature under them, and on disk for a start without the plane."""

import pathlib

import msgspec
import structlog

from plane.domain import errors
from plane.domain.acting import action_scripts
from plane.domain.health import health_scripts
from plane.wire import scripted, signing

log = structlog.get_logger()


class Checks:
    """A set of scripts. `held`: its digest as claims say it, empty for none; None: the last set could not be used, and is not asked for."""

    def __init__(self, folder: pathlib.Path, *, task_key: bytes, cluster_id: str) -> None:
        self._file = folder / "health-checks"
        self._task_key = task_key
        self._cluster_id = cluster_id
        self.held: str | None = ""
        self.scripts: tuple[health_scripts.Script, ...] = ()
        self.actions: tuple[action_scripts.Source, ...] = ()

    def load(self) -> None:
        """What is on disk; what cannot be used is asked for again."""
        try:
            self._use(msgspec.msgpack.decode(self._file.read_bytes(), type=scripted.SignedChecks))
        except FileNotFoundError:
            return
        except (errors.PlaneError, ValueError, OSError) as e:
            log.warning("checks.dropped", reason=str(e))

    def take(self, signed: scripted.SignedChecks) -> None:
        """Put another set in place of this one. Blocking: run it in a thread."""
        try:
            self._use(signed)
        except (errors.PlaneError, ValueError) as e:
            self.held = None
            log.error("checks.refused", reason=str(e))  # noqa: TRY400 - the sentence says it
            return
        try:
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(msgspec.msgpack.encode(signed))
            fresh.replace(self._file)
        except OSError as e:  # in force all the same; the next start asks again
            log.warning("checks.lost", reason=str(e))

    def _use(self, signed: scripted.SignedChecks) -> None:
        found = signing.open_checks(signed, self._task_key, cluster_id=self._cluster_id)
        self.scripts = tuple(_script(check) for check in found.checks)
        self.actions = tuple(_source(one) for one in found.actions)
        self.held = found.digest


def _script(check: scripted.Check) -> health_scripts.Script:
    expressions = health_scripts.Expressions(current=check.current, in_progress=check.in_progress, failed=check.failed)
    return health_scripts.Script(
        check.group, check.kind, check.lua or expressions, _name(check), check.tenant, check.project, local=check.local
    )


def _source(one: scripted.ActionScripts) -> action_scripts.Source:
    return action_scripts.Source(
        one.group,
        one.kind,
        one.discovery,
        one.definitions,
        merge=one.merge,
        name=_name(one),
        tenant=one.tenant,
        project=one.project,
        local=one.local,
    )


def _name(one: scripted.Check | scripted.ActionScripts) -> str:
    """How people know it: with the place that it belongs to."""
    return "/".join(part for part in (one.tenant, one.project, one.name) if part)
