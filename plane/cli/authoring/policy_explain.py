"""`plane policy explain`: the lines of a rule, and what each of them was, about an app as it was judged or about local files."""

import itertools
import secrets as random
from typing import Any

import click
import msgspec

from plane import config
from plane.adapters.judging import opa_files, opa_once, opa_sets, opa_trace
from plane.cli import client, failures, kinds, session, show
from plane.cli.trying import trial_files, trial_policy
from plane.domain import objects
from plane.domain.judging import policy, traces
from plane.domain.rendering import opening, secrets

Json = client.Json


@click.command("explain")
@click.argument("subjects", nargs=-1, metavar="[APP | FILE|DIR|-…]")
@click.option("--rule", default="", help="The rule, by its id; what was found, when not given.")
@click.option("--object", "object_", default="", metavar="KEY", help="The object, as violations name it: 'apps/Deployment shop/web'.")
@click.option("--decision", default="", metavar="ID", help="Another decision than the newest of the app.")
@click.option("--library", is_flag=True, help="Also the lines of what rules share, and of the driver.")
@trial_policy.own_rules
@click.option("--profile", default="", help="Rules that come with the plane, to ask about local files.")
@click.option("--parameters", type=trial_policy.FILE, help="With local files, a YAML file: rule id → its parameters.")
@click.option(
    "--given", type=trial_policy.FILE, help="With local files, a YAML file: what else rules may know, as `plane try policy --context`."
)
@show.option("table", "json", "yaml")
@session.placed
def command(where: session.Session, subjects: tuple[str, ...], **words: Any) -> None:  # noqa: ANN401 - what click hands over
    """Show why a rule said what it said: each of its lines, how often it held and failed, and with which values.

    Of an APP: the newest decision about it, evaluated again over what was judged. With --profile, or rules of your own: local files, and
    nothing is contacted. Values of Secrets are fingerprints in both.
    """
    output, ask = words.pop("output"), traces.Ask(words.pop("rule"), words.pop("object_"), words.pop("library"))
    if trial_policy.named(words) or words["profile"]:
        if words["decision"] or not subjects:
            raise failures.WrongUse("--profile and rules of your own are asked about local files; name them, and no decision")
        with trial_files.refusals():
            found = _local(subjects, ask, words)
    else:
        found = _kept(where, subjects, ask, words["decision"])
    if not show.body(found, output=output):
        _print(found)


def _kept(where: session.Session, subjects: tuple[str, ...], ask: traces.Ask, identity: str) -> Json:
    place = f"/tenants/{where.tenant()}/decisions"
    if (len(subjects) != 1) == (not identity):
        raise failures.WrongUse("name one app, or --decision ID; files want --profile NAME, or rules of your own, such as --policies DIR")
    if not identity:
        newest = where.api.get(place, app=kinds.checked("app", subjects[0]), project=where.project(), limit=1).body["items"]
        if not newest:
            raise failures.Failed(
                f"policy has decided nothing about app/{subjects[0]}; one is made of a release where a policy is in force"
            )
        identity = newest[0]["id"]
    asked = {name: str(value).lower() if value is True else value for name, value in msgspec.structs.asdict(ask).items() if value}
    body: Json = where.api.get(f"{place}/{kinds.checked('decision', identity)}/explanation", **asked).body
    return body


def _local(subjects: tuple[str, ...], ask: traces.Ask, words: Json) -> Json:
    shipped = opa_files.shipped()
    own = trial_policy.own(words)
    parameters = trial_policy.mapping(words["parameters"], dict[str, dict[str, Any]], "is no mapping of rule ids to parameters")
    given = trial_policy.mapping(words["given"], trial_policy.Given, "is no context")
    wish = trial_policy.Wish(own, words["profile"], "", parameters, given, "")
    bound = trial_policy.binding(shipped, wish)
    written, key = trial_files.objects_in(subjects), random.token_bytes()
    found = tuple(_masked(one, key) for one in written)
    clear = {str(number): pointers for number, one in enumerate(written) if (pointers := tuple(opening.clear(one)))}
    question = msgspec.structs.replace(trial_policy.question(found, bound, wish), clear=clear)
    compiler = opa_sets.Compiler(config.program("opa"), shipped.base)
    violations = () if ask.rule and ask.object else _violations(bound.policy, question, shipped)
    sets = {bound.policy.name: traces.Asked(bound.policy, opa_sets.rules(bound.policy))}
    wanted = traces.chosen(ask, violations, sets, [str(one.key) for one in found])
    tracer = opa_trace.Tracer(compiler, shipped=shipped.texts.values())
    made = [tracer.trace(bound.policy, question, one) for _, one in itertools.islice(wanted, traces.MOST)]
    body: Json = msgspec.to_builtins({"items": made, "leftOut": sum(1 for _ in wanted), "missing": [], "notes": []})
    return body


def _violations(files: policy.PolicyFiles, question: policy.PolicyInput, shipped: opa_files.Shipped) -> tuple[policy.Violation, ...]:
    return opa_once.Once(config.program("opa"), shipped.base).violations(files, question)


def _masked(manifest: objects.Manifest, key: bytes) -> objects.Manifest:
    """A Secret as the plane has it judged: fingerprints for values; references and what SOPS has encrypted stay as they are."""
    pointers = frozenset(opening.clear(manifest))
    if not pointers:
        return manifest

    def marked(at: str, leaf: object) -> object:
        place = secrets.Place(manifest.key, at)
        return secrets.fingerprint(key, place, secrets.Secret(str(leaf).encode())) if at in pointers else leaf

    folded = {**(manifest.body.get("data") or {}), **(manifest.body.get("stringData") or {})}
    rest = {name: value for name, value in manifest.body.items() if name != "stringData"}
    return msgspec.structs.replace(manifest, body=opening.mapped({**rest, "data": folded}, marked))


def _print(found: Json) -> None:
    for sentence in found["missing"]:
        click.echo(failures.visible(f"cannot be evaluated again: {sentence}"), err=True)
    for one in found["items"]:
        click.echo(failures.visible(f"{one['set']}/{one['rule']} about {one['object']}: {_said(one.get('found') or [])}"))
        for definition in one.get("definitions", ()):
            _print_definition(definition)
        if one.get("more"):
            click.echo(one["more"])
    if found["leftOut"]:
        click.echo(f"{found['leftOut']:,} more; narrow it with --rule and --object")
    if not found["items"] and not found["missing"]:
        click.echo("Nothing was found, so there is nothing to explain; name a rule with --rule to see why it says nothing.")
    for sentence in found["notes"]:
        click.echo(failures.visible(f"Note: {sentence}"), err=True)


def _said(messages: list[str]) -> str:
    return "; ".join(messages) if messages else "it says nothing"


def _print_definition(one: Json) -> None:
    click.echo(failures.visible(f"  {one['file']}:{one['row']} {one['name']}: entered {one['entered']}, held {one['held']}"))
    for line in one.get("lines", ()):
        counts = " ".join(f"{word} {line[word]}" for word in ("held", "failed") if line.get(word)) or "not come to"
        click.echo(failures.visible(f"    {line['row']:4} {line.get('text', '')}   [{counts}]"))
        for sample in line.get("samples", ()):
            _print_sample(sample)


def _print_sample(sample: Json) -> None:
    values = [f"{name} = {value}" for name, value in sample.get("values", {}).items()]
    words = [sample["expression"]] if sample.get("expression") else []
    if values or words:
        click.echo(failures.visible(f"           {sample['outcome']:6} {'; '.join([*words, *values])}"))
