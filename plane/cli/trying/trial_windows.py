"""`plane try windows`: whether an app may sync at a moment, by the windows and freezes of its project."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from plane.cli import table, times
from plane.cli.trying import trial_documents, trial_files
from plane.domain import errors, objects, tenancy
from plane.domain.reading import documents as texts
from plane.domain.timing import schedules, windows
from plane.wire import documents

ARGO_GROUP = "argoproj.io"
OURS = documents.API_VERSION

Json = dict[str, Any]


@click.command("windows")
@click.option("--project", required=True, type=trial_files.FILE, help="A Project, optionally with its Tenant, or an Argo CD AppProject.")
@click.option("--app", required=True, type=trial_files.FILE, help="An App or an Argo CD Application.")
@click.option("--at", help="The moment, RFC 3339, UTC unless it has a zone; default: now.")
@click.option("--started", help="When a running sync started: say whether it may continue.")
@click.option("--manual", is_flag=True, help="Judge a manual sync.")
@trial_files.output_option("table", "json")
def command(project: str, app: str, at: str | None, started: str | None, manual: bool, output: str) -> None:  # noqa: FBT001 click's way
    """Say whether the app may sync, why, and when that changes."""
    now = trial_files.moment(at) if at else dt.datetime.now(dt.UTC)
    with trial_files.refusals():
        calendar = calendar_of(list(trial_documents.read(project)))
        target = target_of(list(trial_documents.read(app)))
    if started:
        ruling = windows.may_continue(calendar, target, started=trial_files.moment(started), now=now, manual=manual)
    else:
        ruling = windows.decide(calendar, target, now=now, manual=manual)
    change = windows.next_change(calendar, target, now=now, manual=manual)
    changes_at = times.stamp(change) if change else None
    if output == "json":
        trial_files.as_json({"allowed": ruling.allowed, "reason": ruling.reason, "changes_at": changes_at})
    else:
        table.show(["ALLOWED", "CHANGES AT", "WHY"], [["yes" if ruling.allowed else "no", changes_at or "-", ruling.reason]])


def calendar_of(found: list[tuple[objects.Position, Json]]) -> schedules.Calendar:
    """Windows and freezes of all projects and tenants among the documents.

    Raises:
        Invalid, Unreadable: a document of another kind, or one that breaks a rule.
    """
    calendar = schedules.Calendar()
    for where, body in found:
        more = _calendar(where, body)
        both = {name: (*getattr(calendar, name), *getattr(more, name)) for name in ("windows", "freezes", "above")}
        calendar = schedules.Calendar(**both)
    return calendar


def target_of(found: list[tuple[objects.Position, Json]]) -> schedules.Target:
    """The one app among the documents; raises as calendar_of."""
    if len(found) != 1:
        raise errors.Invalid({"--app": f"holds {len(found)} documents; one App is needed"})
    ((where, body),) = found
    if trial_documents.is_(body, OURS, "App"):
        app = trial_documents.convert(where, body, documents.App)
        return schedules.Target(app.metadata.name, app.spec.destination.namespace, app.spec.destination.cluster)
    if trial_documents.is_(body, ARGO_GROUP, "Application"):
        return _argo_target(body)
    raise texts.Unreadable(where, "is neither an App of gitops-plane.io/v1 nor an Argo CD Application")


def _calendar(where: objects.Position, body: Json) -> schedules.Calendar:
    if trial_documents.is_(body, ARGO_GROUP, "AppProject"):
        return schedules.Calendar(tuple(_argo_windows(where, body)))
    if trial_documents.is_(body, OURS, "Project"):
        return _checked(where, trial_documents.convert(where, body, documents.Project).spec)
    if trial_documents.is_(body, OURS, "Tenant"):
        tenants = _checked(where, trial_documents.convert(where, body, documents.Tenant).spec)
        return schedules.Calendar(freezes=tenants.freezes, above=tenants.windows)
    raise texts.Unreadable(where, "is neither a Project or Tenant of gitops-plane.io/v1 nor an Argo CD AppProject")


def _checked(where: objects.Position, spec: tenancy.ProjectSpec | tenancy.TenantSpec) -> schedules.Calendar:
    if problems := tenancy.check_calendar(spec):
        raise errors.Invalid({f"{where}: {path}": rule for path, rule in problems.items()})
    return schedules.Calendar(spec.sync_windows, spec.freezes)


def _argo_windows(where: objects.Position, body: Json) -> Iterator[schedules.Window]:
    """What Argo CD would take; a schedule or duration that it could not read stops syncs and not this command."""
    known = {field.encode_name for field in msgspec.structs.fields(schedules.Window)}
    listed = _mapping(body.get("spec")).get("syncWindows") or []
    for n, window in enumerate(listed if isinstance(listed, list) else [listed]):
        given = {name: value for name, value in _mapping(window).items() if name in known and value is not None}
        yield trial_documents.convert(where, {"schedule": "", "duration": "", **given}, schedules.Window, f"spec.syncWindows[{n}]")


def _argo_target(body: Json) -> schedules.Target:
    destination = _mapping(_mapping(body.get("spec")).get("destination"))
    name, namespace, cluster, server = (
        str(value or "")
        for value in (
            _mapping(body.get("metadata")).get("name"),
            destination.get("namespace"),
            destination.get("name"),
            destination.get("server"),
        )
    )
    return schedules.Target(name, namespace, cluster, server)


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}
