"""What one sync is told beside what its app says: which objects, which strategy, and sync options that hold for it alone."""

import functools
from collections.abc import Callable, Sequence

import msgspec

from plane.domain import annotations, errors, options
from plane.domain.planning import operation, selection


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """`resources` and `labels` as `selection.parse` reads them; `sync_options` as an app's, and stronger.

    `plan`: digest of the kept plan that the sync is to do exactly, or not at all.
    """

    resources: tuple[str, ...] = ()
    labels: str = ""
    strategy: operation.Strategy = "hook"
    sync_options: tuple[str, ...] = ()
    plan: str = ""

    def selective(self) -> bool:
        """Whether it is about some objects only: then it is no entry of the history, and says nothing about the rest."""
        return bool(self.resources or self.labels)


def check(terms: Terms, app: Sequence[str]) -> None:
    """Refuse what a person typed wrong; `app`: the options of the app that these are laid over.

    Raises:
        Invalid: by the request's fields.
    """
    problems: dict[str, str] = {}
    for n, word in enumerate(terms.resources):
        problems |= _fault(f"resources[{n}]", functools.partial(selection.parse, (word,)))
    problems |= _fault("labels", functools.partial(selection.parse, (), selector=terms.labels))
    for n, word in enumerate(terms.sync_options):
        problems |= _fault(f"syncOptions[{n}]", functools.partial(_option, word))
    if not problems:
        problems = _fault("syncOptions", functools.partial(options.app, over(app, terms.sync_options)))
    if problems:
        raise errors.Invalid(problems)


def over(app: Sequence[str], once: Sequence[str]) -> tuple[str, ...]:
    """An app's options with those of one sync laid over them: what the sync does not name still holds."""
    named = {name for word in once for name, _ in annotations.pairs(word)}
    return (*(word for word in app if named.isdisjoint(name for name, _ in annotations.pairs(word))), *once)


def chosen(terms: Terms) -> selection.Selection | None:
    """The choice, or None for everything."""
    return selection.parse(terms.resources, selector=terms.labels) if terms.selective() else None


def _option(word: str) -> None:
    """Nobody would see a warning, so a name that the plane does not know is refused."""
    for line in options.app_warnings((word,)):
        raise errors.Invalid({options.APP_PATH: line.removeprefix(f"{options.APP_PATH}: ")})
    options.app((word,))


def _fault(field: str, read: Callable[[], object]) -> dict[str, str]:
    try:
        read()
    except errors.Invalid as error:
        return {field: next(iter(error.problems.values()))}
    return {}
