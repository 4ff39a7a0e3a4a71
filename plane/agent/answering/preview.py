"""What an apply of one object would do, as a person reads it. An object that is known to be as Git wants it costs no request.

The API server's dry run is the truth; it is asked only where the structural comparison finds a difference.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from plane.adapters.cluster import kube_kinds
from plane.agent.answering import masking
from plane.agent.applying import apply, planning
from plane.agent.kept import records, releases, rules, writing
from plane.agent.watching import cluster
from plane.domain import errors, objects, options
from plane.domain.comparing import adoption, diff, ignoring, ownership, prediction
from plane.wire import agent

Body = dict[str, Any]
AT_ONCE = 16  # as many as agent/applying/pace.py lets write


class Preview(msgspec.Struct, frozen=True):
    """One object's. `action` empty: nothing changes. `text`: a unified diff, masked; `ignored`: of what rules leave out, likewise.

    `former`: the tools that it would be taken over from. `extra`: what others added; `trouble`: why it could not be looked at.
    """

    key: objects.ObjectKey
    action: str = ""
    fields: tuple[str, ...] = ()
    text: str = ""
    ignored: str = ""
    former: tuple[str, ...] = ()
    extra: tuple[ownership.Extra, ...] = ()
    trouble: str = ""


class Kept(msgspec.Struct, frozen=True):
    """A preview with what it depends on beside the live object, whose record it is kept at: a new version has a new record."""

    document: bytes
    options: agent.Options
    preview: Preview


class Looking(msgspec.Struct, frozen=True):
    """One question about many objects. `ignored`: also what rules leave out."""

    there: cluster.Cluster
    applier: apply.Applier
    work: planning.Work
    ignored: bool = False

    async def of(self, indexes: Iterable[int], *, tolerant: bool = False) -> tuple[Preview, ...]:
        """As `at` for many, a few at a time; `tolerant`: what it would raise is told as the object's trouble."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> Preview:
            async with turn:
                try:
                    return await self.at(index)
                except errors.PlaneError as e:
                    if not tolerant:
                        raise
                    return Preview(self.work.release.manifests[index].key, "update", trouble=str(e))

        return tuple(await asyncio.gather(*map(one, indexes)))

    async def at(self, index: int) -> Preview:
        """The preview of one object of the release.

        Raises:
            PlaneError: it could not be read, or its values cannot be opened.
        """
        release = self.work.release
        key = release.manifests[index].key
        settled = planning.settled(self.there, self.work, key, index)
        if settled and not self.ignored:
            return Preview(key, extra=settled.extra)
        record, document = self.there.watches.get(key), records.document_digest(release.documents[index])
        told = planning.options(self.work.task)
        kept = record.preview if record else None
        if isinstance(kept, Kept) and (kept.document, kept.options) == (document, told) and not self.ignored:
            return kept.preview
        found = await self._look(index)
        if record and not self.ignored:
            record.preview = Kept(document, told, found)
        return found

    async def _look(self, index: int) -> Preview:
        release = self.work.release
        manifest = release.manifests[index]
        effective = writing.how(manifest, planning.options(self.work.task))
        live = await self._live(manifest)
        if effective.ssa == "Ignore" or (live is not None and effective.ssa == "IfNotPresent"):
            return Preview(manifest.key)
        desired = releases.body(release, index, releases.values(release, manifest.key, self.there.unsealer))
        if live is None:
            return Preview(manifest.key, "create", text=diff.text(masking.unsealed(desired, release, manifest.key), None))
        return await self._compared(_Pair(index, manifest, effective, desired, live))

    async def _live(self, manifest: objects.Manifest) -> Body | None:
        try:
            return await self.applier.get(manifest.key, manifest.api_version)
        except kube_kinds.UnknownKind:
            return None

    async def _compared(self, pair: "_Pair") -> Preview:
        rule = rules.of(self.work.task.options, pair.manifest.key)
        taken = (
            adoption.taken(pair.desired, pair.live, pair.effective.migrated_manager) if pair.effective.takes_over() else adoption.Taken()
        )
        left = adoption.without(pair.desired, pair.live, taken)
        wants = self.work.task.options.foreign != "ignore"
        verdict = await self.there.comparer.judge(pair.desired, left, rule, foreign=wants)
        if verdict.change is None and not taken.managers and not (self.ignored and rule):
            return Preview(pair.manifest.key, extra=verdict.extras)
        becomes = await self._becomes(pair, left, taken)
        before, after = masking.compared(pair.desired, pair.live, becomes, self.work.release.sealed.get(pair.manifest.key, ()))
        told = await self.there.comparer.under(rule, pair.telling(becomes, prediction.Outcome(pair.desired, before, after), rule))
        return msgspec.structs.replace(told, former=taken.managers, extra=verdict.extras)

    async def _becomes(self, pair: "_Pair", left: Body, taken: adoption.Taken) -> Body:
        """The object after an apply: by the API server's word, or by ours where that cannot be had."""
        if pair.effective.server_side_diff is not False and not taken.gone:
            try:
                return await self.applier.predict(
                    apply.Order(self.work.release, pair.index, pair.manifest.key, planning.options(self.work.task))
                )
            except errors.PlaneError:
                pass  # it would be refused, which the sync says with the way out; the difference is worth seeing all the same
        return diff.applied(pair.desired, left)


class _Pair(msgspec.Struct, frozen=True):
    """An object that is there, and what Git wants of it."""

    index: int
    manifest: objects.Manifest
    effective: options.Effective
    desired: Body
    live: Body

    def telling(self, becomes: Body, shown: prediction.Outcome, rule: ignoring.Rules) -> Callable[[ignoring.Query | None], Preview]:
        """The preview, once somebody evaluates jq for it; `shown`: the same without secret values."""

        def tell(query: ignoring.Query | None) -> Preview:
            whole = prediction.Outcome(self.desired, self.live, becomes)
            changed = whole.fields(rule, query, mutations=self.effective.include_mutation_webhook)
            text, ignored = shown.texts(rule, query)
            action = "update" if changed else ""
            return Preview(self.manifest.key, action, changed, text if changed else "", ignored)

        return tell
