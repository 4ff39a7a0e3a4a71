"""What Git says otherwise after somebody changed a live object by hand: a sentence beside the answer."""

from plane.agent.answering import question
from plane.agent.kept import releases, rules
from plane.domain import errors, objects

SHOWN = 5  # fields named in a sentence


async def of_change(asked: question.Asked, key: objects.ObjectKey) -> tuple[str, ...]:
    """Sentences about an object that Git has; none when it is as Git wants it still."""
    there, held = asked.there, asked.there.book.get(asked.task.app_id)
    wanted = held.objects.get(key) if held else None
    release = there.book.release(held.id) if held and wanted else None
    if held is None or wanted is None or wanted.passive or release is None:
        return ()
    try:
        live = await asked.applier.get(key, wanted.api_version)
        desired = releases.body(release, wanted.index, releases.values(release, key, there.unsealer))
        found = await there.comparer.judge(desired, live, rules.of(held.options, key), foreign=True) if live else rules.Verdict(None)
    except errors.PlaneError:
        return ()  # what cannot be compared is told by the app's own state
    if found.change is not None:
        return (f"Git says otherwise at {_named(found.change.fields)}: {_consequence(heals=held.options.self_heal)}",)
    if found.extras and held.options.foreign == "revert":
        added = tuple(one.pointer for one in found.extras)
        return (f"Git does not have {_named(added)}, and the app removes what others add (spec.drift.foreign)",)
    return ()


def of_deletion(asked: question.Asked, key: objects.ObjectKey) -> tuple[str, ...]:
    """The same about an object that was deleted."""
    held = asked.there.book.get(asked.task.app_id)
    if held is None or key not in held.objects:
        return ()
    if held.options.self_heal:
        return ("Git has it, and the app heals itself: it is created again",)
    return ("Git has it: the app is OutOfSync until a sync creates it again, or Git has it no more",)


def _consequence(*, heals: bool) -> str:
    if heals:
        return "the app heals itself and undoes it; change it in Git, or list the field in ignoreDifferences"
    return "the app is OutOfSync until a sync undoes it, or Git says the same"


def _named(fields: tuple[str, ...]) -> str:
    more = f" and {len(fields) - SHOWN} more" if len(fields) > SHOWN else ""
    return f"{', '.join(fields[:SHOWN])}{more}"
