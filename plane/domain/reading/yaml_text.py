"""One YAML document ↔ plain JSON data, as Kubernetes tools read it. The one home of PyYAML.

The C parser gives events; depth, aliases and nodes are counted on them before anything is built, because libyaml's own composer recurses
in C and dies on deep input.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import yaml
from yaml import _yaml, cyaml, events, reader

from plane.domain.reading import scalars

MAX_DEPTH = 100
MAX_NODES = 1_000_000  # per document, aliases expanded
MAX_ALIASES = 100  # per document

_UNSET = object()
_MERGE = object()
_OPEN = object()


class BadText(ValueError):
    """A broken rule at a line of a text, counted from 0."""

    def __init__(self, rule: str, line: int) -> None:
        self.rule, self.line = rule, line
        super().__init__(rule)


class Parsed(msgspec.Struct, frozen=True):
    """A document's data (None: it is empty) and the line its content begins at; `item_lines` are those of the mappings in its `items`."""

    value: Any
    line: int = 0
    item_lines: tuple[int, ...] = ()


def parse(text: bytes) -> Parsed:
    """Read one document of valid UTF-8.

    Raises:
        BadText: not YAML, over a bound, a key twice, a value JSON cannot hold, or text after the document's end.
    """
    builder = _Builder()
    parser = _yaml.CParser(text)
    try:
        for event in iter(parser.get_event, None):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        rule = "this is not YAML: " + ", ".join(part for part in (error.context, error.problem) if part)
        raise BadText(rule, mark.line if mark else 0) from error
    except reader.ReaderError as error:
        at = text.count(b"\n", 0, error.position)
        rule = f"the control character {_shown(error.character)} is not allowed in YAML; remove or escape it"
        raise BadText(rule, at) from error
    finally:
        parser.dispose()
    return Parsed(builder.result, builder.line, tuple(builder.item_lines))


def dump(body: object) -> str:
    """Block style, keys sorted, for people to read; `parse` gives the same data back."""
    return str(yaml.dump(body, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=2**31 - 1))


class _Dumper(cyaml.CSafeDumper):
    """Quotes what kubectl would not take for text and PyYAML would: `N`, `1e3`, `0o7`."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if isinstance(scalars.resolve(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _shown(character: object) -> str:
    return f"0x{character:02x}" if isinstance(character, int) else repr(character)


class _Sequence:
    """An open sequence."""

    __slots__ = ("anchor", "value")

    def __init__(self, anchor: str | None) -> None:
        self.anchor = anchor
        self.value: list[Any] = []

    def put(self, value: object) -> None:
        self.value.append(value if type(value) is str else scalars.in_json(value))


class _Mapping:
    """An open mapping; a `key` that is set waits for its value."""

    __slots__ = ("anchor", "key", "merged", "value")

    def __init__(self, anchor: str | None) -> None:
        self.anchor = anchor
        self.value: dict[str, Any] = {}
        self.key: object = _UNSET
        self.merged: set[str] = set()

    def put(self, value: object) -> None:
        if self.key is _UNSET:
            self._open_key(value)
            return
        if self.key is _MERGE:
            self._merge(value)
        else:
            self.value[self.key] = value if type(value) is str else scalars.in_json(value)  # type: ignore[index] # text, as _open_key left it
        self.key = _UNSET

    def _open_key(self, value: object) -> None:
        if value is _MERGE:
            self.key = value
            return
        key = value if type(value) is str else scalars.key(value)
        if key in self.value and key not in self.merged:
            message = f"the key {key!r} occurs twice in one mapping; keep one"
            raise scalars.BadScalar(message)
        self.merged.discard(key)
        self.key = key

    def _merge(self, value: object) -> None:
        """As go-yaml 2: in place, so a merge beats the keys before it and loses to those after it; of a list, the first wins."""
        for source in reversed(value) if isinstance(value, list) else (value,):
            if not isinstance(source, dict):
                message = "`<<` merges mappings only; name an anchored mapping or a list of them"
                raise scalars.BadScalar(message)
            self.merged.update(source)
            self.value.update(source)


class _Builder:
    """Takes a document's events in order; `result` is its data in the end."""

    def __init__(self) -> None:
        self.result: Any = None
        self.line = 0
        self.item_lines: list[int] = []
        self._open: list[_Mapping | _Sequence] = []
        self._anchors: dict[str, Any] = {}
        self._documents = self._nodes = self._aliases = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            events.ScalarEvent: self._scalar,
            events.MappingStartEvent: self._start,
            events.SequenceStartEvent: self._start,
            events.MappingEndEvent: self._end,
            events.SequenceEndEvent: self._end,
            events.AliasEvent: self._alias,
            events.DocumentStartEvent: self._start_document,
        }

    def take(self, event: events.Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is None:
            return
        try:
            handler(event)
        except scalars.BadScalar as error:
            raise BadText(str(error), _line(event)) from error

    def _start_document(self, _event: events.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            message = "kubectl skips what follows `...`; begin the next document with `---`"
            raise scalars.BadScalar(message)

    def _scalar(self, event: events.ScalarEvent) -> None:
        value: object = event.value
        plain = event.implicit[0]
        if value == "<<" and (plain or event.tag == scalars.MERGE_TAG) and self._wants_key():
            value = _MERGE
        elif event.tag is not None or (plain and (not value or value[0] in scalars.HINTS)):  # type: ignore[index] # text
            value = scalars.resolve(event.value, event.tag)
        if event.anchor:
            self._anchors[event.anchor] = value
        if not self._open:
            self.line = _line(event)
        self._put(value)

    def _wants_key(self) -> bool:
        top = self._open[-1] if self._open else None
        return isinstance(top, _Mapping) and top.key is _UNSET

    def _put(self, value: object) -> None:
        self._count()
        if self._open:
            self._open[-1].put(value)
        else:
            self.result = scalars.in_json(value)

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            message = f"more than {MAX_NODES:,} values in one document, aliases expanded; split it"
            raise scalars.BadScalar(message)

    def _start(self, event: events.CollectionStartEvent) -> None:
        _bound_depth(len(self._open))
        if not self._open:
            self.line = _line(event)
        elif isinstance(event, events.MappingStartEvent) and self._in_items():
            self.item_lines.append(_line(event))
        if event.anchor:
            self._anchors[event.anchor] = _OPEN
        self._open.append(_Mapping(event.anchor) if isinstance(event, events.MappingStartEvent) else _Sequence(event.anchor))

    def _in_items(self) -> bool:
        return len(self._open) == 2 and isinstance(self._open[0], _Mapping) and self._open[0].key == "items"  # noqa: PLR2004 root, its list

    def _end(self, _event: events.Event) -> None:
        closed = self._open.pop()
        if closed.anchor:
            self._anchors[closed.anchor] = closed.value
        self._put(closed.value)

    def _alias(self, event: events.AliasEvent) -> None:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            message = f"more than {MAX_ALIASES} aliases in one document; write the values out"
            raise scalars.BadScalar(message)
        value = self._anchors.get(event.anchor or "", _UNSET)
        if value is _UNSET or value is _OPEN:
            rule = "contains itself" if value is _OPEN else "is not defined before its use"
            message = f"the anchor {event.anchor!r} {rule}"
            raise scalars.BadScalar(message)
        self._put(self._copy(value, len(self._open)))

    def _copy(self, value: Any, depth: int) -> Any:  # noqa: ANN401 any JSON data
        """A value of its own for each alias, so that nothing is shared when somebody edits a copy."""
        if not isinstance(value, dict | list):
            return value
        _bound_depth(depth)
        self._nodes += len(value)
        self._count()
        if isinstance(value, dict):
            return {key: self._copy(item, depth + 1) for key, item in value.items()}
        return [self._copy(item, depth + 1) for item in value]


def _line(event: events.Event) -> int:
    return event.start_mark.line if event.start_mark else 0


def _bound_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        message = f"nested deeper than {MAX_DEPTH} levels; Kubernetes objects never are"
        raise scalars.BadScalar(message)
