"""Steps 2 to 6 of the flow for one app: commit, render, open and seal secrets, judge, release. Holds no transaction and no lock."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from plane import ports
from plane.domain import apps, errors, objects, options, release, resource_rules
from plane.domain import kinds as kinds_of
from plane.domain.deciding import decide
from plane.domain.judging import claims, policy
from plane.domain.judging import surroundings as facts_of
from plane.domain.permitting import quotas, signing
from plane.domain.planning import waves
from plane.domain.rendering import hidden, metering, opening, reached, refs, render, secrets
from plane.server import context, keys, shares
from plane.server.delivering import judge, permit, recording, release_keys, resolve, surroundings
from plane.store.delivering import facts, policies, releases
from plane.wire import agent, bundle


class Shared(msgspec.Struct):
    """What the apps of one batch have in common; lives as long as the batch. Commits and trees are remembered in it."""

    policies: policies.Standing
    keys: dict[str, keys.Keys]  # by project id
    capabilities: dict[str, agent.Capabilities]  # by cluster id
    now: dt.datetime
    render_time: quotas.RenderTime
    account: shares.Account
    sources: resolve.Known = {}
    platform: resource_rules.Rules = resource_rules.Rules()
    inventories: dict[str, facts_of.Inventory] = {}  # by app id, of those whose rules may read one
    renders: metering.Meter = msgspec.field(default_factory=metering.Meter)


class Draft(msgspec.Struct, frozen=True):
    """A release that waits for its verdict. `left_out`: what is said of objects that are not judged."""

    new: releases.New
    base: release_keys.Base
    manifests: tuple[objects.Manifest, ...]
    origin: judge.Origin
    left_out: tuple[policy.Judged, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """Neither `draft` nor `new` when the release there is, is still the right one."""

    roots: tuple[tuple[str, ...], ...]  # per source
    seen: tuple[str, ...]  # the commit of each source
    draft: Draft | None = None
    new: releases.New | None = None  # the draft, judged
    until: dt.datetime | None = None  # when policies change for the app by themselves


class _Part(msgspec.Struct, frozen=True):
    """One source of the app, ready to render."""

    number: int
    source: apps.Source
    renderer: ports.Renderer
    files: tuple[ports.File, ...]
    found: resolve.Source
    key: str


class _Sources(msgspec.Struct, frozen=True):
    """All sources at their commits, who signed those, the sources that are rendered, and what rules may know of them before."""

    found: tuple[resolve.Source, ...]
    signed: tuple[signing.Checked, ...]
    parts: list[_Part]
    told: facts_of.SourceFacts


def prepare(plane: context.Plane, app: facts.App, shared: Shared) -> Prepared:
    """The app's release at the newest commit, not yet judged.

    Raises:
        PlaneError: whatever stands in the way, with the sentence `explain` shows.
    """
    cluster = _cluster(app)
    permit.check(app, cluster)
    sources = _sources(plane, app, shared)
    read = {part.number: part.renderer.roots(part.found.tree, part.source) for part in sources.parts}
    held = judge.rules(_known(app, shared, source=sources.told), shared.policies, at=shared.now)
    looked = resolve.roots(app.spec.all_sources(), read), tuple(at.commit.sha for at in sources.found)
    base = _base(app, cluster, shared, sources)
    right = release_keys.still_right(app, cluster, base, surroundings.Beside(app.reported, inventory=_inventory(app, shared)))
    return Prepared(*looked, None if right else _draft(plane, app, shared, base, sources), until=held.until)


def at(plane: context.Plane, app: facts.App, shared: Shared, *, revision: str) -> Draft:
    """The release of an app of one source at another revision, not yet judged; raises as `prepare`."""
    [source] = (msgspec.structs.replace(one, target_revision=revision) for one in app.spec.all_sources())
    there = msgspec.structs.replace(app, spec=msgspec.structs.replace(app.spec, source=source, sources=()))
    cluster, sources = _cluster(app), _sources(plane, there, shared)
    return _draft(plane, there, shared, _base(app, cluster, shared, sources), sources)


def of_trees(plane: context.Plane, app: facts.App, shared: Shared, *, commit: ports.Commit, trees: Mapping[int, ports.Tree]) -> Draft:
    """The release of an app with local files in place of some sources (by number), not yet judged; raises as `prepare`."""
    permit.check_local(app)
    instead = {number: resolve.Source(commit, tree) for number, tree in trees.items()}
    cluster, sources = _cluster(app), _sources(plane, app, shared, instead=instead)
    made = _draft(plane, app, shared, _base(app, cluster, shared, sources), sources)
    new = msgspec.structs.replace(made.new, commit=commit.sha, author=commit.author, subject=commit.subject)
    return msgspec.structs.replace(made, new=new)


def judged(plane: context.Plane, app: facts.App, shared: Shared, draft: Draft, beside: surroundings.Beside) -> releases.New:
    """The draft with its verdict. `beside`: what the database has of it (`beside.of`)."""
    held = _held(app, shared, draft.origin, beside)
    said = judge.judge(plane, held, draft.manifests, draft.origin)
    return msgspec.structs.replace(
        draft.new,
        verdict=msgspec.structs.replace(said.verdict, judged=(*said.verdict.judged, *draft.left_out)),
        key=release_keys.whole(draft.base, beside),
        decision=recording.record(plane, held, said, release=draft.new.digest),
    )


def _sources(plane: context.Plane, app: facts.App, shared: Shared, *, instead: Mapping[int, resolve.Source] | None = None) -> _Sources:
    sources, held = app.spec.all_sources(), shared.keys.get(app.project_id, keys.Keys())
    found = resolve.all_of(plane, app, held, shared.sources, instead=instead)
    signed = permit.check_signed(plane, app, held, [at.commit for at in found])
    parts = [_part(plane, app, number, at) for number, at in enumerate(found) if sources[number].rendered()]
    kinds = {part.number: part.renderer.name for part in parts}
    both = enumerate(zip(sources, found, strict=True))
    origins = (reached.origin(source, kinds.get(number, ""), floating=at.commit.floating) for number, (source, at) in both)
    return _Sources(found, signed, parts, reached.together(origins, ()))


def _draft(plane: context.Plane, app: facts.App, shared: Shared, base: release_keys.Base, sources: _Sources) -> Draft:
    held = shared.keys.get(app.project_id, keys.Keys())
    rendered = _manifests(plane, app, shared, sources)
    manifests, hidden_values = hidden.unfold(rendered.manifests, rendered.values)
    manifests, left_out = resource_rules.split(manifests, shared.platform, _cluster(app).name)
    opened = _open(plane, held, hidden_values, manifests, sources.parts)
    first = sources.parts[0]
    made = _Made(base, first.found.commit, sources.signed[first.number], manifests, opened, rendered.source)
    return msgspec.structs.replace(_release(plane, app, shared, made), left_out=left_out)


class _Opened(msgspec.Struct, frozen=True):
    """What opening found."""

    values: opening.Opened
    volatile: bool


class _Rendered(msgspec.Struct, frozen=True):
    """What the sources render to, the values behind the references that stand for their encrypted files, and what rules may know."""

    manifests: tuple[objects.Manifest, ...]
    values: hidden.Values
    source: facts_of.SourceFacts


class _Made(msgspec.Struct, frozen=True):
    """Rendered and opened, not yet a release."""

    base: release_keys.Base
    commit: ports.Commit
    signed: signing.Checked
    manifests: tuple[objects.Manifest, ...]
    opened: _Opened
    source: facts_of.SourceFacts


def _cluster(app: facts.App) -> facts.Cluster:
    if app.cluster is None:
        name = app.spec.destination.cluster
        message = f"cluster {name} does not exist or is not granted to this tenant; name another, or ask the platform team"
        raise errors.SourceRefused(message)
    return app.cluster


def _part(plane: context.Plane, app: facts.App, number: int, found: resolve.Source) -> _Part:
    source = refs.replaced(app.spec.all_sources()[number])
    renderer = _renderer(plane, found.tree, source)
    files = renderer.inputs(found.tree, source)
    return _Part(number, source, renderer, files, found, render.render_key(renderer, _job(app, source, {}, patient=False), files))


def _renderer(plane: context.Plane, tree: ports.Tree, source: apps.Source) -> ports.Renderer:
    for name, wanted in (("helm", source.helm), ("kustomize", source.kustomize), ("plain", source.directory)):
        if wanted is not None:
            return plane.renderers[name]
    files = tree.files(source.path)
    return next((one for one in plane.renderers.values() if one.detects(files, source)), plane.renderers["plain"])


def _job(app: facts.App, source: apps.Source, files: dict[str, bytes], *, patient: bool) -> ports.RenderJob:
    cluster = app.cluster
    return ports.RenderJob(
        project=app.project_id,
        source=source,
        files=files,
        app=app.name,
        namespace=app.spec.destination.namespace,
        kube_version=cluster.kube_version if cluster else "",
        patient=patient,
    )


def _base(app: facts.App, cluster: facts.Cluster, shared: Shared, sources: _Sources) -> release_keys.Base:
    held = judge.rules(_known(app, shared, source=sources.told), shared.policies, at=shared.now)
    platform = shared.platform
    left_out: list[object] = [(platform.exclusions, platform.inclusions)] if platform.exclusions or platform.inclusions else []
    return release_keys.base(app, cluster, held, [part.key for part in sources.parts], left_out)


def _manifests(plane: context.Plane, app: facts.App, shared: Shared, sources: _Sources) -> _Rendered:
    held = shared.keys.get(app.project_id, keys.Keys())
    shared.render_time.check(shared.renders.cpu_s())
    rendered: list[objects.Manifest] = []
    values: hidden.Values = {}
    origins, called = list(sources.told.origins), set[str]()
    for part in sources.parts:
        files = dict(part.found.tree.read(part.files))
        if part.renderer.name == "helm":
            origins[part.number] = msgspec.structs.replace(origins[part.number], chart=reached.chart(part.source, files))
            called |= reached.functions(files)
        if part.renderer.name != "plain":  # those files are opened after the render, as they are
            values |= _hide(plane, held, part, files)
        job = _job(app, part.source, files, patient=app.failures > 0 or shared.account.above())
        rendered += plane.pool.render(part.renderer.name, job, shared.renders)
    return _Rendered(tuple(rendered), values, reached.together(origins, called))


def _hide(plane: context.Plane, held: keys.Keys, part: _Part, files: dict[str, bytes]) -> hidden.Values:
    """Replace the secrets in a renderer's files by references."""
    values: hidden.Values = {}
    for file in (hidden.File(one.path, one.blob, files[one.path]) for one in part.files):
        form = hidden.form(file)
        if form:
            clear = plane.sops.open(file.text, _sops_keys(held, file.path), where=file.path, form=form)
            made = hidden.hide(file, clear, whole=part.renderer.name == "kustomize")
            files[file.path] = made.text
            values |= made.values
    return values


def _open(
    plane: context.Plane, held: keys.Keys, found: hidden.Values, manifests: tuple[objects.Manifest, ...], parts: list[_Part]
) -> _Opened:
    aliases = frozenset(held.vaults) | ({hidden.ALIAS} if found else set())
    wanted = opening.needs(manifests, aliases=aliases)
    if wanted.sops:
        files = _as_written([part for part in parts if part.renderer.name == "plain"], {one.where for one in wanted.sops})
        wanted = opening.needs(manifests, aliases=aliases, files=files)
    documents: dict[int, dict[str, object]] = {}
    for one in wanted.sops:
        documents.update(opening.documents(one, plane.sops.open(one.text, _sops_keys(held, one.where), where=one.where)))  # type: ignore[arg-type]  # plain JSON data
    values = dict(found)
    for alias in sorted({ref.alias for ref in wanted.refs} - {hidden.ALIAS}):
        values.update(plane.vault.read(held.vaults[alias], [ref for ref in wanted.refs if ref.alias == alias]))
    return _Opened(opening.Opened(documents, values), wanted.volatile())


def _as_written(parts: list[_Part], names: set[str]) -> dict[str, bytes]:
    """The files of these names, without those in which two sources differ."""
    found = {(file.path, file.blob): (part, file) for part in parts for file in part.files if file.path in names}
    paths = [path for path, _ in found]
    alone = [(part, file) for (path, _), (part, file) in found.items() if paths.count(path) == 1]
    return {file.path: part.found.tree.read([file])[file.path] for part, file in alone}


def _sops_keys(held: keys.Keys, where: str) -> ports.SopsKeys:
    if held.sops is None:
        message = (
            "is encrypted with SOPS and this project holds no age identity; add one with `plane credential create NAME --kind sops-age`"
        )
        raise errors.SecretRefused(message, where=where)
    return held.sops


def _release(plane: context.Plane, app: facts.App, shared: Shared, made: _Made) -> Draft:
    cluster = _cluster(app)
    manifests = _stamped(app, shared, made.manifests)
    for manifest in manifests:
        waves.turn(manifest)  # what no agent could put in order, or would read another way than it was meant,
        options.own(manifest)  # is refused here, where its file is known
    permit.check_objects(app, cluster, manifests)
    key = plane.envelope.unwrap(app.fingerprint_key, context=keys.wrapping_context(app.tenant_id, app.project_id, keys.FINGERPRINT_KEY))
    filled = opening.fill(manifests, made.opened.values, name=lambda place, value: secrets.fingerprint(key.reveal(), place, value))
    origin = judge.Origin(made.commit.sha, made.commit.signature, made.manifests, made.source)
    digest, body = bundle.pack(tuple(objects.canonical(manifest.body) for manifest in filled.manifests))
    new = releases.New(
        app_id=app.id,
        digest=digest,
        key=made.base.key,
        commit=made.commit.sha,
        author=made.commit.author,
        subject=made.commit.subject,
        committer=made.commit.committer,
        committed_at=made.commit.committed_at,
        signature=made.commit.signature,
        verification=made.signed.reason,
        signed_by=made.signed.key,
        verdict=policy.Verdict(),
        objects=len(filled.manifests),
        volatile=made.opened.volatile,
        body=body,
        sealed=_seal(plane, app, cluster, digest, filled.secrets),
        key_id=cluster.agent_key_id,
        claims=claims.of(filled.manifests, cluster.id),
        rendered=facts_of.Rendered(source=made.source, clear=surroundings.clear(made.manifests)),
    )
    return Draft(new, made.base, filled.manifests, origin)


def _stamped(app: facts.App, shared: Shared, manifests: tuple[objects.Manifest, ...]) -> tuple[objects.Manifest, ...]:
    """Owner marks and namespaces; scope of a kind from the built-in table, the cluster's own list, and CRDs in the set."""
    cluster = _cluster(app)
    served = shared.capabilities.get(cluster.id)
    known = {(kind.group, kind.kind): kind.namespaced for kind in served.kinds} if served else {}
    scopes = {**known, **kinds_of.defined(manifests)}
    namespace, owner = app.spec.destination.namespace, _owner(app)
    return tuple(
        release.stamp(one, owner, namespace=namespace if kinds_of.namespaced(one.key.group, one.key.kind, scopes) else "")
        for one in manifests
    )


def _owner(app: facts.App) -> release.Owner:
    return release.Owner(app.id, app.tenant, app.project, app.name)


def _seal(
    plane: context.Plane, app: facts.App, cluster: facts.Cluster, digest: str, values: tuple[tuple[secrets.Place, secrets.Secret], ...]
) -> tuple[agent.SealedValue, ...]:
    if values and not cluster.agent_key:
        name = cluster.name
        message = f"no agent of cluster {name} is there to seal secrets to; run the command that `plane cluster join {name}` prints"
        raise errors.SecretRefused(message)
    return tuple(
        agent.SealedValue(
            agent.Key(place.key.group, place.key.kind, place.key.namespace, place.key.name),
            place.pointer,
            plane.sealer.seal(
                cluster.agent_key, value, secrets.sealing_context(cluster=cluster.id, app=app.id, release=digest, place=place)
            ),
        )
        for place, value in values
    )


def verdict(
    plane: context.Plane,
    app: facts.App,
    shared: Shared,
    manifests: tuple[objects.Manifest, ...],
    origin: judge.Origin,
    beside: surroundings.Beside,
) -> policy.Verdict:
    """What the policies in force for an app say of objects."""
    held = _held(app, shared, origin, beside)
    return judge.judge(plane, held, manifests, origin).verdict


def _held(app: facts.App, shared: Shared, origin: judge.Origin, beside: surroundings.Beside) -> judge.Rules:
    known = _known(app, shared, source=origin.source, written=origin.written)
    return judge.rules(msgspec.structs.replace(known, beside=beside), shared.policies, at=shared.now)


def _inventory(app: facts.App, shared: Shared) -> facts_of.Inventory:
    return shared.inventories.get(app.id, facts_of.Inventory())


def reads(app: facts.App, shared: Shared) -> frozenset[str]:
    """What of the database the sets in force for an app look at."""
    return judge.rules(_known(app, shared, source=facts_of.SourceFacts()), shared.policies, at=shared.now).reads()


def _known(
    app: facts.App, shared: Shared, *, source: facts_of.SourceFacts, written: tuple[objects.Manifest, ...] = ()
) -> surroundings.Known:
    cluster = _cluster(app)
    return surroundings.Known(app, cluster, shared.capabilities.get(cluster.id), written, source)


def problem(app: facts.App, error: errors.PlaneError, now: dt.datetime) -> decide.Problem:
    """What to show while the app has no usable release; `since` changes only with the sentence."""
    before = app.problem
    until = facts.stamp(error.until) if isinstance(error, quotas.QuotaExceeded) else ""
    return before if before and before.sentence == str(error) else decide.Problem(error.code, str(error), facts.stamp(now), until)
