"""The apps this agent keeps: which objects each wants, in which document, and how. Contents stay on the shelf."""

from collections.abc import Iterable, Mapping

import msgspec
import structlog

from plane.agent.kept import records, releases, shelf, writing
from plane.domain import errors, levels, objects
from plane.domain.comparing import fights
from plane.domain.planning import waves
from plane.wire import agent

Blows = dict[objects.ObjectKey, tuple[fights.Blow, ...]]
Lefts = dict[objects.ObjectKey, fights.Left]

log = structlog.get_logger()


class Wanted(msgspec.Struct):
    """One object that an app wants. `index` of its document; `digest` names the document."""

    index: int
    digest: bytes
    api_version: str
    wave: int = 0
    passive: bool = False  # ssa: IfNotPresent; what it became is nobody's drift
    yielding: bool = False  # ssa: Merge; what others own is theirs to change


class Held(msgspec.Struct):
    """An app in force. `objects` leaves hooks out; `task` is the one at work, or empty; `waiting`: for what it waits, as a sentence.

    `blows`: what was put back since its last task, `clears`: what was taken away; `fights`: what is left as others write it, and why.
    """

    id: str
    generation: int
    release: str
    options: agent.Options
    objects: Mapping[objects.ObjectKey, Wanted]
    kinds: frozenset[tuple[str, str]]
    whose: levels.Whose = levels.Whose()
    hidden: Mapping[tuple[str, str], frozenset[str]] = {}  # by kind: JSON pointers of secret values, those of the release before too
    task: str = ""
    trouble: str = ""
    waiting: str = ""
    blows: Blows = {}
    fights: Lefts = {}
    clears: Blows = {}


class Book:
    """All apps of this cluster."""

    def __init__(self, kept: shelf.Shelf) -> None:
        self._shelf = kept
        self._held: dict[str, Held] = {}

    def get(self, app: str) -> Held | None:
        """The app, if it is kept here."""
        return self._held.get(app)

    def all(self) -> Iterable[Held]:
        """Every app."""
        return self._held.values()

    def take(self, task: agent.Task, release: releases.Release) -> Held:
        """Let a task's release be what the app wants from now on."""
        wanted = {}
        for index, manifest in enumerate(release.manifests):
            turn = waves.turn(manifest)
            if not turn.hook:
                digest = records.document_digest(release.documents[index])
                policy = writing.how(manifest, task.options).ssa
                if policy != "Ignore":
                    wanted[manifest.key] = Wanted(
                        index, digest, manifest.api_version, turn.wave, passive=policy == "IfNotPresent", yielding=policy == "Merge"
                    )
        kinds = frozenset((manifest.key.group, manifest.key.kind) for manifest in release.manifests)
        before = self._held.get(task.app_id)
        hidden = _hidden(release, before.hidden if before else {})
        held = Held(
            task.app_id, task.generation, task.release, task.options, wanted, kinds, levels.Whose(task.tenant, task.project), hidden
        )
        self._held[task.app_id] = held
        return held

    def resume(self, task: agent.Task, release: releases.Release) -> None:
        """Take up an app after a restart, with what was left alone by then."""
        self.take(task, release).fights.update(self._shelf.fights(task.app_id))

    def left(self, held: Held) -> None:
        """Keep on disk what the app leaves alone now."""
        self._shelf.fought(held.id, held.fights)

    def drop(self, app: str) -> None:
        """Forget an app."""
        self._held.pop(app, None)

    def release(self, app: str) -> releases.Release | None:
        """What the app wants, read from the shelf. An app whose release cannot be read is dropped, which asks the plane for it again."""
        try:
            signed = self._shelf.read(app)
            return releases.load(app, signed.bundle) if signed and signed.bundle else None
        except (errors.PlaneError, ValueError, OSError) as e:
            log.error("release.broken", app=app, reason=str(e))  # noqa: TRY400 - the sentence says it
            self.drop(app)
            self._shelf.drop([app])
            return None

    def wants(self, app: str, key: objects.ObjectKey) -> bool:
        """Whether an app wants an object."""
        held = self._held.get(app)
        return held is not None and key in held.objects


def _hidden(release: releases.Release, before: Mapping[tuple[str, str], frozenset[str]]) -> dict[tuple[str, str], frozenset[str]]:
    found = dict(before)
    for key, values in release.sealed.items():
        kind = (key.group, key.kind)
        found[kind] = found.get(kind, frozenset()).union(value.pointer for value in values)
    return found
