"""`plane try access`: what bindings in files let somebody do; Argo CD's policy.csv as Argo CD decides."""

import pathlib
from typing import Any

import click
import msgspec

from plane.cli import table
from plane.cli.trying import access_documents, trial_documents, trial_files
from plane.domain import errors, objects
from plane.domain.granting import argo_builtin, argo_policy, argo_roles, wishes
from plane.domain.reading import documents as texts

RBAC_KEY, SCHEMES = "policy.csv", ("glob", "regex")


@click.command("access")
@click.option(
    "--bindings",
    "files",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="RoleBindings, with Roles, Users, Apps and Clusters; or Argo CD's policy.csv, its ConfigMap argocd-rbac-cm, AppProjects.",
)
@click.option("--subject", required=True, help="Who asks: a user, a service or, with Argo CD, a role.")
@click.option("--group", "groups", multiple=True, help="A group of the subject, as the identity provider names it; repeatable.")
@click.option("--default-role", default="", help="Argo CD's policy.default.")
@click.option("--match-mode", type=click.Choice(SCHEMES), help="Argo CD's policy.matchMode.")
@click.option("--from", "address", default="", metavar="ADDRESS", help="Address they ask from, for bindings that name networks.")
@trial_files.output_option("table", "json")
@click.argument("verb")
@click.argument("resource")
@click.argument("object_", metavar="OBJECT")
def command(files: tuple[str, ...], verb: str, resource: str, object_: str, output: str, **asked: Any) -> None:  # noqa: ANN401 click's way
    """Say whether SUBJECT may VERB the RESOURCE at OBJECT, and why.

    OBJECT is TENANT/PROJECT/APP or less of it, - for the platform; with Argo CD what its policy has there, such as PROJECT/APP.
    """
    with trial_files.refusals():
        csv, found = read(files)
        if csv is None:
            asker = access_documents.Asker(asked["subject"], frozenset(asked["groups"]), asked["address"])
            allowed, because = access_documents.Documents(found).decide(asker, wishes.permission(verb, resource), object_)
        else:
            request = argo_policy.Request(asked["subject"], verb, resource, object_, asked["groups"])
            ruling = argo_policy.decide(_settled(csv, asked["default_role"], asked["match_mode"]), request)
            allowed, because = ruling.allowed, ruling.because
    if output == "json":
        trial_files.as_json({"allowed": allowed, "because": because})
    else:
        table.show(["ALLOWED", "BECAUSE"], [["yes" if allowed else "no", because]])


def _settled(policy: argo_policy.Policy, role: str, mode: str | None) -> argo_policy.Policy:
    """What the command line says goes before what the ConfigMap says."""
    regex = mode == "regex" if mode else policy.regex
    return msgspec.structs.replace(policy, default_role=role or policy.default_role, regex=regex)


def read(files: tuple[str, ...]) -> tuple[argo_policy.Policy | None, list[trial_documents.Found]]:
    """Argo CD's policy with what is built in, or documents of ours; raises as `_read`."""
    policy, ours = _read(files)
    return (argo_builtin.policy().plus(policy).under(policy) if policy else None), ours


def written(files: tuple[str, ...]) -> argo_policy.Policy:
    """Argo CD's policy alone; raises as `_read`, also for documents of ours."""
    policy, ours = _read(files)
    if ours:
        raise texts.Unreadable(ours[0][0], "is none of Argo CD's documents")
    return policy or argo_policy.Policy()


def _read(files: tuple[str, ...]) -> tuple[argo_policy.Policy | None, list[trial_documents.Found]]:
    """A file that is neither YAML nor JSON is a policy.csv.

    Raises:
        Invalid, Unreadable: both tools' at once, or a line or document that breaks a rule.
    """
    policy, ours = argo_policy.Policy(), list[trial_documents.Found]()
    argo = False
    for file in files:
        found = _documents(file)
        if found is None:
            policy, argo = policy.plus(argo_policy.read(_text(file), file=_name(file))), True
        for where, body in found or ():
            if trial_documents.is_(body, "v1", "ConfigMap") or trial_documents.is_(body, "argoproj.io", "AppProject"):
                policy, argo = _with(policy, where, body), True
            else:
                ours.append((where, body))
    if argo and ours:
        raise texts.Unreadable(ours[0][0], "is none of Argo CD's documents; ask about one tool's policy at a time")
    return (policy if argo else None), ours


def _with(policy: argo_policy.Policy, where: objects.Position, body: dict[str, Any]) -> argo_policy.Policy:
    name = str(_mapping(where, body, "metadata").get("name", ""))
    if body["kind"] == "AppProject":
        roles = argo_roles.policy(name, _mapping(where, body, "spec"), where=str(where))
        return msgspec.structs.replace(policy, projects={**policy.projects, name: roles})
    settings = {str(key): str(value or "") for key, value in _mapping(where, body, "data").items()}
    keys = [RBAC_KEY, *sorted(key for key in settings if key.startswith("policy.") and key.endswith(".csv") and key != RBAC_KEY)]
    for key in keys:
        policy = policy.plus(argo_policy.read(settings.get(key, ""), file=f"{where}: data.{key}"))
    return msgspec.structs.replace(
        policy,
        default_role=settings.get("policy.default", ""),
        regex=settings.get("policy.matchMode") == "regex",
        scopes=settings.get("scopes", ""),
    )


def _mapping(where: objects.Position, body: dict[str, Any], field: str) -> dict[str, Any]:
    found = body.get(field) or {}
    if not isinstance(found, dict):
        raise texts.Unreadable(where, f"{field} must be a mapping")
    return found


def _documents(file: str) -> list[trial_documents.Found] | None:
    """None when the text holds no documents: then it is a policy.csv."""
    text = _text(file).removeprefix(argo_policy.BYTE_ORDER_MARK)
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    csv = first.lstrip().startswith(("p,", "g,", "p ,", "g ,", '"p"', '"g"')) or file.endswith(".csv") or not first
    return None if csv else list(trial_documents.read(file))


def _text(file: str) -> str:
    try:
        return pathlib.Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Invalid({file: f"cannot be read as text ({getattr(error, 'strerror', None) or 'not UTF-8'})"}) from None


def _name(file: str) -> str:
    return pathlib.Path(file).name
