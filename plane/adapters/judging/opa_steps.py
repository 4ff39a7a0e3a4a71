"""The steps of an evaluation as OPA's trace has them, condensed: each row of a rule, how often it held, and with which values."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from plane.adapters.judging import opa_terms
from plane.domain.judging import traces

INPUT = "input"
UNDEFINED = "undefined"
ALL = (["manifest"], ["manifests"])  # paths of the input that nobody wants to read whole
Outcome = Literal["held", "failed"]
_OPA = {"op": "Op", "node": "Node", "at": "Location", "query": "QueryID", "parent": "ParentID", "bound": "Locals", "names": "LocalMetadata"}


class Location(msgspec.Struct):
    """Where a step is in the modules."""

    file: str = ""
    row: int = 0


class Event(msgspec.Struct, rename=_OPA):
    """One step. Node, values and names are decoded only where somebody will read them: they are most of it."""

    op: str
    node: msgspec.Raw
    query: int
    parent: int
    at: Location | None = None
    bound: msgspec.Raw = msgspec.Raw(b"[]")
    names: msgspec.Raw = msgspec.Raw(b"{}")


class _Row(msgspec.Struct):
    counts: dict[Outcome, int] = msgspec.field(default_factory=lambda: {"held": 0, "failed": 0})
    samples: list[traces.Sample] = []


class _Definition(msgspec.Struct):
    name: str
    at: Location
    entered: int = 0
    held: int = 0
    rows: dict[int, _Row] = {}


class _Query(msgspec.Struct):
    """A body at work. `places`: number of an expression → its row; `nodes`: the expressions; `now`: that which it is at.

    `inverse`: it is the body of a negation, whose outcome is the contrary of its line's.
    """

    definition: _Definition | None
    body: bool = False
    inverse: bool = False
    places: dict[int, int] = {}
    nodes: dict[int, Any] = {}
    now: int = -1


class Reader:
    """Reads the steps of one evaluation about `asked`, and keeps those in the files that are `wanted`."""

    def __init__(self, asked: object, wanted: frozenset[str]) -> None:
        self._asked, self._wanted = asked, wanted
        self._queries: dict[int, _Query] = {}
        self._definitions: dict[tuple[str, int, str], _Definition] = {}

    def read(self, events: Iterable[Event], texts: Mapping[str, list[str]]) -> tuple[traces.Definition, ...]:
        """Definitions by file and row. `texts`: file → its rows."""
        for event in events:
            self._step(event)
        found = sorted(self._definitions.items())
        return tuple(_shown(one, texts.get(one.at.file, [])) for _, one in found)

    def _step(self, event: Event) -> None:
        if event.op == "Enter":
            self._queries[event.query] = self._enter(event)
            return
        query = self._queries.get(event.query)
        if query is None or query.definition is None or event.op not in {"Eval", "Fail", "Exit"}:
            return
        if event.op == "Exit":
            self._leave(query, query.definition, event)
        elif event.op == "Eval":
            self._come(query, query.definition, event)
        else:
            number = _number(event)
            self._keep(query, query.definition, event, number, "failed")

    def _enter(self, event: Event) -> _Query:
        node = msgspec.json.decode(event.node)
        if isinstance(node, dict) and "head" in node:
            return _Query(self._definition(node, event.at))
        outer = self._queries.get(event.parent)
        if outer is None or outer.definition is None:
            return _Query(None)
        negated = bool(outer.nodes.get(outer.now, {}).get("negated"))
        return _Query(outer.definition, body=True, inverse=outer.inverse or negated)

    def _definition(self, node: dict[str, Any], at: Location | None) -> _Definition | None:
        if at is None or at.file not in self._wanted:
            return None
        head = node["head"]
        name = ".".join(str(one.get("value")) for one in head.get("ref") or []) or str(head.get("name", ""))
        made = self._definitions.setdefault((at.file, at.row, name), _Definition(name, at))
        made.entered += 1
        return made

    def _come(self, query: _Query, definition: _Definition, event: Event) -> None:
        """At an expression; the one before it has just held, and its row when this one is on another."""
        number, row = _number(event), event.at.row if event.at else 0
        before = query.places.get(number - 1)
        if before is not None and before != row:
            self._keep(query, definition, event, number - 1, "held")
        query.places[number], query.now = row, number
        if number not in query.nodes:
            query.nodes[number] = msgspec.json.decode(event.node)
        definition.rows.setdefault(row, _Row())

    def _leave(self, query: _Query, definition: _Definition, event: Event) -> None:
        if not query.body:
            definition.held += 1
        if query.places:
            self._keep(query, definition, event, max(query.places), "held")

    def _keep(self, query: _Query, definition: _Definition, event: Event, number: int, outcome: Outcome) -> None:
        place = query.places.get(number)
        if place is None or query.inverse:
            return
        row = definition.rows.setdefault(place, _Row())
        row.counts[outcome] += 1
        if row.counts[outcome] <= traces.SAMPLES:
            nodes = [node for at, node in query.nodes.items() if query.places.get(at) == place]
            row.samples.append(self._sample(event, nodes, query.nodes[number], outcome))

    def _sample(self, event: Event, nodes: list[Any], last: Any, outcome: Outcome) -> traces.Sample:  # noqa: ANN401 - OPA's JSON
        bound = {str(one["name"]): one for one in msgspec.json.decode(event.bound)}
        names = {made: str(said["name"]) for made, said in msgspec.json.decode(event.names).items() if said.get("name")}
        paths = sorted({(name, *rest) for name, *rest in opa_terms.reads(nodes) if name == INPUT or opa_terms.known(name, names)}, key=str)
        values = {opa_terms.path(names.get(root, root), rest): self._value(root, rest, bound, names) for root, *rest in paths}
        values = {name: value for name, value in values.items() if value}
        said = traces.cut(opa_terms.expression(last, bound, names)) if outcome == "failed" else ""
        return traces.Sample(outcome, values, said)

    def _value(self, root: str, rest: list[str | int], bound: Mapping[str, Any], names: Mapping[str, str]) -> str:
        """Cut; empty for a variable that has none yet, and for more of the input than anybody reads."""
        if root == INPUT:
            return _at(self._asked, rest) if rest and rest not in ALL else ""
        if root not in bound:
            return ""
        found = opa_terms.below(bound[root], tuple(rest))
        return traces.cut(opa_terms.text(found, {}, names)) if found else UNDEFINED


def _number(event: Event) -> int:
    """Which expression of its body."""
    return msgspec.json.decode(event.node, type=_Numbered).index


class _Numbered(msgspec.Struct):
    index: int = 0


def _at(asked: object, path: list[str | int]) -> str:
    for part in path:
        places = asked if isinstance(asked, dict) else dict(enumerate(asked)) if isinstance(asked, list) else {}
        if part not in places:
            return UNDEFINED
        asked = places[part]
    return traces.cut(msgspec.json.encode(asked).decode())


def _shown(one: _Definition, rows: list[str]) -> traces.Definition:
    lines = tuple(
        traces.Line(row, traces.cut(rows[row - 1].strip()) if 0 < row <= len(rows) else "", **found.counts, samples=tuple(found.samples))
        for row, found in sorted(one.rows.items())
    )
    return traces.Definition(one.name, one.at.file, one.at.row, one.entered, one.held, lines)
