"""`plane try policy`: what the policies say about local manifests."""

import datetime as dt
import pathlib
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
import msgspec

from plane import config
from plane.adapters.judging import opa_files, opa_once
from plane.cli import failures
from plane.cli.reporting import github, junit, reports, sarif, tap
from plane.cli.trying import trial_files
from plane.domain import errors, objects
from plane.domain.judging import library, policy, styles, surroundings
from plane.domain.reading import documents

T = TypeVar("T")
Command = Callable[..., Any]

HERE = policy.PolicyContext(tenant="local", project="local", app="local", cluster="local", now="")


FORMS = {"junit": junit.text, "tap": tap.text, "sarif": sarif.text, "github": github.text}

ONE = (
    "--policies, --conftest, --gatekeeper and --admission are rules of your own, --profile and --pss-version about the shipped ones; "
    "leave one out"
)
DOCUMENTS: tuple[styles.Kind, ...] = ("gatekeeper", "admission")

FILE = click.Path(exists=True, dir_okay=False, path_type=pathlib.Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=pathlib.Path)
PLACE = click.Path(exists=True, path_type=pathlib.Path)


_OWN = (
    click.option(
        "--policies",
        "folder",
        type=FOLDER,
        help="Folder of .rego modules, each rule in mode deny; the shipped rules when not given.",
    ),
    click.option("--conftest", type=FOLDER, help="Folder of policies for conftest: its packages' deny, violation and warn are asked."),
    click.option("--namespace", "packages", multiple=True, metavar="PACKAGE", help="With --conftest, a package to ask; else main."),
    click.option("--all-namespaces", is_flag=True, help="With --conftest, ask all packages."),
    click.option("--combine", is_flag=True, help="With --conftest, ask about all objects at once, as `conftest --combine` does."),
    click.option("--data", type=PLACE, multiple=True, help="With --conftest, a file or folder of data; repeatable."),
    click.option("--gatekeeper", type=FOLDER, help="Folder of ConstraintTemplates and constraints for Gatekeeper."),
    click.option("--admission", type=FOLDER, help="Folder of ValidatingAdmissionPolicies, their bindings and parameters."),
    click.option("--rego-v0", is_flag=True, help="With --conftest, the modules are Rego v0."),
)
_CONFTEST = ("packages", "all_namespaces", "combine", "data", "rego_v0")


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What --context may say: the fields of the policy input besides manifests and parameters. `context`: by field name."""

    context: dict[str, Any] = {}
    project: surroundings.ProjectFacts = surroundings.ProjectFacts()
    cluster: surroundings.ClusterFacts = surroundings.ClusterFacts()
    inventory: surroundings.Inventory = surroundings.Inventory()
    changes: tuple[surroundings.Change, ...] = ()
    source: surroundings.SourceFacts = surroundings.SourceFacts()


class Wish(msgspec.Struct, frozen=True):
    """Which rules are asked, and how. `own` None: those that come with the plane."""

    own: policy.PolicyFiles | None
    profile: str
    pss_version: str
    parameters: dict[str, dict[str, Any]]
    given: Given
    kube_version: str


def own_rules(command: Command) -> Command:
    """Give a command the options that name rules of the caller's own, which `own` takes out of its words."""
    for option in reversed(_OWN):
        command = option(command)
    return command


@click.command("policy")
@click.argument("files", nargs=-1, required=True, type=trial_files.FILE, metavar="FILE|DIR|-…")
@own_rules
@click.option("--profile", default="", help="Shipped rules under the modes of a profile; the starter's, each in mode deny, when not given.")
@click.option("--pss-version", default="", metavar="VERSION", help="Version of the Pod Security Standards: latest, or v1.25 to v1.36.")
@click.option("--kube-version", default="", metavar="VERSION", help="The cluster's version, for rules about removed API versions.")
@click.option("--parameters", type=FILE, help="YAML file: rule id → its parameters.")
@click.option("--context", type=FILE, help="YAML file: what else rules may know, as in docs/policies/input.schema.json.")
@trial_files.output_option("table", "json", *FORMS)
def command(files: tuple[str, ...], output: str, **words: Any) -> None:  # noqa: ANN401 - what click hands over
    """Judge the manifests in FILEs with OPA.

    Exit code 0: allowed, warnings included; 1: refused, or no answer, which counts as refused; 2: wrong use. Every form of output has
    the same.
    """
    if named(words) and words["pss_version"]:
        raise failures.WrongUse(ONE)
    with trial_files.refusals():
        rules = own(words)
        parameters = mapping(words.pop("parameters"), dict[str, dict[str, Any]], "is no mapping of rule ids to parameters")
        given = mapping(words.pop("context"), Given, "is no context")
        wish = Wish(rules, **words, parameters=parameters, given=given)
        found = trial_files.objects_in(files)
        verdict = judge(found, wish)
    if output in FORMS:
        places = {str(one.key): str(one.position or "") for one in found}
        click.echo(FORMS[output](reports.Report(verdict, places, _about(wish))), nl=False)
    else:
        _print(verdict, wish, output)
    sys.exit(0 if verdict.allowed() else failures.DIFFERS)


def judge(found: tuple[objects.Manifest, ...], wish: Wish) -> policy.Verdict:
    """The verdict under the profile's modes, or with every rule in mode deny."""
    shipped = opa_files.shipped()
    bound = binding(shipped, wish)
    try:
        once = opa_once.Once(config.program("opa"), shipped.base)
        violations = policy.located(once.violations(bound.policy, question(found, bound, wish)), found)
    except policy.PolicyInvalid as error:
        raise failures.WrongUse(str(error), details=error.problems[1:]) from error
    except policy.PolicyFailed as error:
        return policy.Verdict((bound.policy.digest,), error=str(error))
    return policy.Verdict((bound.policy.digest,), policy.fold([(bound, violations)]))


def named(words: Mapping[str, Any]) -> bool:
    """Whether rules of one's own are named; WrongUse: twice, or beside a profile."""
    folders = [name for name in ("folder", "conftest", *DOCUMENTS) if words[name]]
    if len(folders) > 1 or (folders and words["profile"]):
        raise failures.WrongUse(ONE)
    return bool(folders)


def own(words: dict[str, Any]) -> policy.PolicyFiles | None:
    """Rules of one's own, as they are written; the words that name them are taken out."""
    said = {name: words.pop(name) for name in ("folder", "conftest", *DOCUMENTS, *_CONFTEST)}
    folder, conftest = said["folder"], said["conftest"]
    if not conftest and any(said[name] for name in _CONFTEST):
        raise failures.WrongUse(
            "--namespace, --all-namespaces, --combine, --data and --rego-v0 say how --conftest is read; name its folder"
        )
    for kind in DOCUMENTS:
        if said[kind]:
            return opa_files.documents(said[kind], kind)
    if not conftest:
        return opa_files.read(folder, base=opa_files.shipped().base) if folder else None
    packages = (styles.EVERY,) if said["all_namespaces"] else said["packages"]
    style = styles.Style("conftest", packages, "v0" if said["rego_v0"] else "v1", said["combine"])
    if problems := styles.problems(style):
        raise errors.Invalid(problems)
    return opa_files.conftest(conftest, data=said["data"], style=style)


def binding(shipped: opa_files.Shipped, wish: Wish) -> policy.Binding:
    """The rules that are asked, under their modes."""
    if wish.own:
        return policy.Binding(wish.own, parameters=wish.parameters)
    name = wish.profile or opa_files.STARTER
    bound = library.binding(name, shipped.profiles, shipped.texts, parameters=wish.parameters, version=wish.pss_version)
    return bound if wish.profile else msgspec.structs.replace(bound, rules={})


def _about(wish: Wish) -> dict[str, library.Rule]:
    """What the rules say of themselves, where they say enough."""
    bound = binding(opa_files.shipped(), wish)
    return library.described(bound.policy.files)


def question(found: tuple[objects.Manifest, ...], bound: policy.Binding, wish: Wish) -> policy.PolicyInput:
    """What they are asked."""
    given = wish.given
    now = dt.datetime.now(dt.UTC).isoformat()
    known = msgspec.to_builtins(msgspec.structs.replace(HERE, now=now, kube_version=wish.kube_version))
    try:
        context = msgspec.convert({**known, **given.context}, policy.PolicyContext)
    except msgspec.ValidationError as error:
        raise errors.Invalid({"context": str(error)}) from None
    bodies = tuple(manifest.body for manifest in found)
    return policy.PolicyInput(bodies, context, bound.parameters, given.project, given.cluster, given.inventory, given.changes, given.source)


def mapping(file: pathlib.Path | None, kind: type[T], fault: str) -> T:
    """The YAML of a file as that kind; Invalid with the fault, and what is wrong."""
    if file is None:
        return kind()
    values = [document.value for document in documents.read(file.read_bytes(), file=str(file))]
    try:
        return msgspec.convert(values[0] if values else {}, kind)
    except msgspec.ValidationError as error:
        raise errors.Invalid({str(file): f"{fault}: {error}"}) from None


def _print(verdict: policy.Verdict, wish: Wish, output: str) -> None:
    if output == "json":
        answer = {
            "allowed": verdict.allowed(),
            "policies": verdict.policies,
            "profile": wish.profile,
            "pssVersion": wish.pss_version,
            "error": verdict.error,
            "sentence": policy.sentence(verdict),
        }
        trial_files.as_json({"violations": [_body(one) for one in verdict.judged], "verdict": answer})
        return
    for one in verdict.judged:
        click.echo(failures.visible(_line(one)))
    click.echo(failures.visible(verdict.error or f"{'allowed' if verdict.allowed() else 'refused'}: {_counts(verdict)}"))


def _body(one: policy.Judged) -> dict[str, Any]:
    said = msgspec.structs.asdict(one.violation)
    excepted = {"excepted": True} if said.pop("excepted") else {}
    del said["at_most"]  # the mode says what came of it
    return {**said, "mode": one.mode, **excepted}


def _line(one: policy.Judged) -> str:
    found = one.violation
    fix = f"\n    To fix: {found.remedy}" if found.remedy else ""
    mode = ", exception" if found.excepted else "" if one.mode == "deny" else f", {one.mode}"
    place = f"{found.file}: " if found.file else ""
    return f"{place}{found.object}: {found.message} [{found.rule}, {found.severity}{mode}]{fix}"


def _counts(verdict: policy.Verdict) -> str:
    """Violations, and apart from them what their authors made exceptions of."""
    exceptions = verdict.excepted()
    violations = _count(len(verdict.judged) - exceptions, "violation")
    return f"{violations}, {_count(exceptions, 'exception')}" if exceptions else violations


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
