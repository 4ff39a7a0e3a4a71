"""Checks an exported audit log with nothing but this file, Python and `cryptography`: python verifier.py [--key VKEY] EXPORT.jsonl[.gz].

The log is a Merkle tree (RFC 6962) whose states are signed (https://c2sp.org/tlog-checkpoint). The export holds its rows, hashes in
place of rows that a filter left out, and every signed state between. Exit 0: nothing is wrong; 1: each finding is a line.
"""

import argparse
import base64
import binascii
import gzip
import hashlib
import itertools
import json
import pathlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

LINE = re.compile(  # an event with what the log says of it, or any other line
    rb'\{"event":\{"seq":(\d{1,18}),"leaf":"(.{64})"(?:,"personal":\{"salt":"([^"]*)","of":(\{[^}\n]*\}(?:[^}\n]*\})*?)\})?'
    rb',"event":(.*)\}\}(?:\n|\Z)|(.+)'
)
NOTE = re.compile(r"((?:[^\n]+\n)+)\n(?:\u2014 [^\n]+\n)+")
KIND_AT = 90  # where an event's type begins: its id and time stand before, which are always as long
MANIFEST_CONTEXT = b"gitops-plane/audit-manifest/v1\0"
SWAPPED = 64  # rows between two signed states up to which any two are tried in each other's place; above, only neighbours
COUNTED = ("type", "project", "target", "cluster", "outcome")
BLOCK = 1 << 22  # bytes that are worked on at a time
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
NONE: dict[Any, Any] = {}
Json = dict[str, Any]
Held = Mapping[Any, Any]  # by place a leaf, or by origin and size a root
Part = tuple[str, Any]  # run, state, manifest or garbage, and what it says
Stack = list[tuple[int, bytes]]  # full subtrees, largest first: (height, root)


class Run(NamedTuple):
    """Places in a row, and the full subtrees over them; no leaves where a filter left events out.

    found: what a text gives where that is not its leaf, nothing where the event is gone. told: events about the log itself.
    """

    first: int
    end: int
    nodes: Stack
    leaves: Sequence[bytes] = ()
    found: Held = NONE
    renamed: Sequence[int] = ()
    told: Sequence[Json] = ()


def joined(nodes: Iterable[tuple[int, bytes]]) -> Stack:
    """Full subtrees in order, those of one height put together."""
    stack: Stack = []
    for height, hashed in nodes:
        while stack and stack[-1][0] == height:
            hashed, height = hashlib.sha256(b"\x01" + stack.pop()[1] + hashed).digest(), height + 1  # noqa: PLW2901
        stack.append((height, hashed))
    return stack


def root(stack: Stack) -> str:
    """The hash of the whole tree."""
    found = stack[-1][1] if stack else hashlib.sha256().digest()
    for _, left in reversed(stack[:-1]):
        found = hashlib.sha256(b"\x01" + left + found).digest()
    return found.hex()


def subtrees(first: int, hashes: Sequence[bytes], height: int = 0) -> Stack:
    """The full subtrees over leaves that begin at place `first`, in order."""
    if first & 1 and hashes:
        return [(height, hashes[0]), *subtrees(first + 1, hashes[1:], height)]
    if len(hashes) & 1:
        return [*subtrees(first, hashes[:-1], height), (height, hashes[-1])]
    pairs, sha256 = zip(hashes[::2], hashes[1::2], strict=True), hashlib.sha256
    return subtrees(first >> 1, [sha256(b"\x01" + left + right).digest() for left, right in pairs], height + 1) if hashes else []


def cover(first: int, end: int, hashes: Iterable[str]) -> Stack:
    """The full subtrees over the places from `first` up to `end`, which have these hashes; ValueError when there are others."""
    found: Stack = []
    for hashed in hashes:
        width = min(first & -first or end, 1 << (end - first).bit_length() - 1)
        found.append((width.bit_length() - 1, bytes.fromhex(hashed)))
        first += width
    if first != end:
        raise ValueError
    return found


def vkey(name: str, key: bytes) -> str:
    """The key as tools for signed notes write it; 1 is Ed25519."""
    marked = hashlib.sha256(name.encode() + b"\n\x01" + key).hexdigest()[:8]
    return f"{name}+{marked}+{base64.b64encode(bytes([1]) + key).decode()}"


def signed(what: Json, text: bytes) -> Json:
    """With the key, and whether its signature over the text holds."""
    key, signature, holds = base64.b64decode(what["key"]), base64.b64decode(what["signature"]), True
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    except (InvalidSignature, ValueError):
        holds = False
    return what | {"holds": holds, "vkey": vkey(what["origin"], key)}


def read(block: bytes) -> list[Part]:
    """Whole lines of an export, and all of it that needs no other lines: rows with their hashes, states with their signatures."""
    lines = LINE.findall(block)
    places = [int(line[0] or -2) for line in lines]  # -2: it is no event, and no place comes after it
    starts = [at for at, (before, place) in enumerate(itertools.pairwise([-2, *places, -2])) if place != before + 1]
    return [_part(places[at], lines[at:end]) for at, end in itertools.pairwise(starts)]


def _part(first: int, lines: list[tuple[bytes, ...]]) -> Part:
    line = lines[0][-1]
    try:
        if first >= 0:
            return "run", _rows(first, lines)
        ((kind, value),) = json.loads(line).items()
        if kind == "gap":
            return "run", Run(value["first"], value["end"], cover(value["first"], value["end"], value["nodes"]))
        return ("state", _state(value)) if kind == "checkpoint" else ("manifest", _manifest(value))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "garbage", line[:60].decode(errors="replace") or f"one of places {first} to {first + len(lines) - 1}"


def _rows(first: int, lines: list[tuple[bytes, ...]]) -> Run:
    sha256, unhex = hashlib.sha256, binascii.unhexlify
    _, hashes, salts, people, bodies, _ = zip(*lines, strict=True)
    leaves, texts = [unhex(one) for one in hashes], [sha256(b"\x00" + body).digest() for body in bodies]
    rows = enumerate(zip(leaves, texts, bodies, strict=True), first) if texts != leaves else ()
    found = {place: b"" if body == b"null" else text for place, (leaf, text, body) in rows if text != leaf}
    marks = [(at, sha256(unhex(salts[at]) + one).hexdigest().encode()) for at, one in enumerate(people) if one]
    renamed = [first + at for at, mark in marks if b'"personal":"%b"' % mark not in bodies[at]]
    told = [json.loads(body) for at, body in enumerate(bodies, first) if body.startswith(b"audit.", KIND_AT) and at not in found]
    return Run(first, first + len(lines), subtrees(first, leaves), leaves, found, renamed, told)


def _state(point: Json) -> Json:
    """With its tree, if it gives the signed root."""
    size, counts, counted = point["size"], point.get("counts", NONE), point.get("counts_hash", "")
    if sum(sum(of.values()) for of in counts.values()):
        counted = base64.b64encode(hashlib.sha256(CANONICAL.encode(counts).encode()).digest()).decode()
    signed_root = base64.b64encode(bytes.fromhex(point["root"])).decode()
    text = "\n".join([point["origin"], str(size), signed_root, point["time"], *([f"counts {counted}"] if counted else []), ""])
    stack = cover(0, size, point["peaks"]) if point.get("peaks") else []
    return signed(point, text.encode()) | {"stack": stack if root(stack) == point["root"] else None, "counts": counts}


def _manifest(manifest: Json) -> Json:
    unsigned = {name: value for name, value in manifest.items() if name != "signature"}
    facets = [(name, str(value)) for name, value in manifest["filters"].items() if name not in ("since", "until")]
    promised = {"ends": (manifest["end"], manifest["root"]), "rows": manifest["events"], "facets": facets}
    return signed(manifest, MANIFEST_CONTEXT + CANONICAL.encode(unsigned).encode()) | promised


class Verifier:
    """Takes the parts of an export in order; holds those since the last signed state and nothing more.

    keys: those that are trusted, and so are later ones that the log tells of while they sign it; empty: all in the file, which are named.
    known: place → leaf of an earlier export. witnesses: (origin, size) → root, as others keep them. part: without a manifest.
    """

    def __init__(self, keys: Iterable[str] = (), known: Held = NONE, witnesses: Held = NONE, *, part: bool = False) -> None:
        self._trusted, self._known, self._witnesses, self._part = set(keys), known, witnesses, part
        self.findings: list[str] = []  # empty when nothing is wrong
        self.keys: set[str] = set()
        self.state: Json = {"origin": "", "size": 0, "root": ""}  # the last one
        self.events, self.expired, self.witnessed = 0, 0, 0
        self.complete = "every event between its ends is in the file"
        self._next, self._began = 0, False  # the place that must come next
        self._stack: Stack | None = []  # the tree up to the last signed state; None: nothing tells it
        self._runs: list[Run] = []  # since then
        self._counts, self._withheld = Counter[str](), False
        self._gone: list[int] = []  # places whose event is not there,
        self._left = 0  # and the place before which the log says that they left

    def take(self, parts: Iterable[Part]) -> "Verifier":
        """All of a file."""
        manifest: Json = {}
        for kind, value in parts:
            if kind == "run":
                self._run(value)
            elif kind == "state":
                self._state(value)
            else:
                manifest = value if kind == "manifest" else manifest
                self._say(f"after place {self._next - 1} there is a line that no export has: {value!r}", when=kind == "garbage")
        removed = [place for place in self._gone if place >= self._left]
        self.expired = len(self._gone) - len(removed)
        self._say(*(f"place {place}: the event was removed; its leaf is still there" for place in removed))
        self._say(f"places up to {self._next - 1} stand behind the last signed state: maybe inserted", when=self._runs)
        self._say("the file has no manifest: it is not whole; resume the export", when=not (manifest or self._part))
        if manifest:
            self._close(manifest, self.state["size"])
        return self

    def _say(self, *findings: str, when: object = True) -> None:
        self.findings += findings if when else ()

    def _run(self, run: Run) -> None:
        late = f"place {run.first} comes after place {self._next - 1}: it was inserted, or the lines were reordered"
        self._say(late, when=run.first < self._next)
        self._missing(run.first)
        self._say(*(f"place {place}: name or address of who did it was altered" for place in run.renamed))
        others = [place for place, leaf in enumerate(run.leaves, run.first) if self._known.get(place, leaf) != leaf]
        self._say(*(f"place {place}: the leaf is another than in the earlier export: it was replaced, or moved" for place in others))
        self._gone += [place for place, text in run.found.items() if not text]
        self._runs.append(run)
        self.events, self._next, self._began = self.events + len(run.leaves), run.end, True

    def _missing(self, place: int) -> None:
        if place > self._next:
            self._say(f"the events at places {self._next} to {place - 1} are missing: removed")
            self._stack = None

    def _state(self, state: Json) -> None:
        place, named = (state["origin"], state["size"]), f"the state at {state['size']}"
        self._trust(named, state)
        self._say(f"{named} is of another log: {place[0]}", when=self.state["origin"] not in ("", place[0]))
        other = self._witnesses.get(place, state["root"]) != state["root"]
        self._say(f"{named} is not the one that a witness holds: the log was rewritten", when=other)
        self.witnessed, self._withheld = self.witnessed + (place in self._witnesses), self._withheld or "counts_hash" in state
        if self._began:
            self._missing(place[1])
            self._compare(state)
        else:
            self._say(f"{named} comes without its tree: nothing proves the rows up to the next one", when=state["stack"] is None)
            self._stack = state["stack"]
        self._next, self._began, self._runs, self.state = max(self._next, place[1]), True, [], state

    def _trust(self, named: str, what: Json) -> None:
        self.keys.add(what["vkey"])
        self._say(f"the signature of {named} does not hold: it was altered", when=not what["holds"])
        stranger = f"{named} is signed by {what['vkey']}, which is not a key that you trust, nor one that such a key vouches for"
        self._say(stranger, when=self._trusted and what["vkey"] not in self._trusted)

    def _compare(self, state: Json) -> None:
        """The rows since the last signed state against this one; then on from this one's own tree, so that one fault hides no other."""
        altered = {place: text for run in self._runs for place, text in run.found.items() if text}
        grown = self._grown()
        if altered or root(grown) != state["root"]:
            self._say(*self._faults(state["root"], altered))
        elif state["holds"]:
            self._hear(state)
        self._stack = state["stack"] or (None if self._stack is None else grown)

    def _hear(self, state: Json) -> None:
        """What a signed state proves: its counts, and what the log says of itself: which key comes next, and which events left."""
        for counts in state["counts"].values():
            self._counts.update(counts)
        for event in (event for run in self._runs for event in run.told):
            match event:
                case {"type": "audit.key.changed", "details": {"before": str(old), "after": str(new)}} if old == state["vkey"]:
                    self._trusted |= {new} if old in self._trusted else set()
                case {"type": "audit.retention.applied", "details": {"before": int(place)}}:
                    self._left = max(self._left, place)
                case _:
                    pass

    def _faults(self, wanted: str, altered: Held) -> Iterator[str]:
        """Which leaves must be others for the signed root to come out."""
        if self._stack is None or root(self._grown()) == wanted:
            yield from (f"place {place}: the event was altered: its text does not give its leaf" for place in altered)
        elif root(self._grown(altered)) == wanted:
            yield from (f"place {place}: the leaf was altered; the event is as it was sealed" for place in altered)
        else:
            leaves = {place: leaf for run in self._runs for place, leaf in enumerate(run.leaves, run.first)}
            pairs = itertools.combinations(leaves, 2) if len(leaves) <= SWAPPED else itertools.pairwise(leaves)
            swaps = ({one: leaves[other], other: leaves[one]} for one, other in pairs)
            swapped = next((swap for swap in swaps if root(self._grown(swap)) == wanted), None)
            between = f"between the signed states at {self.state['size']} and {self._next}"
            together = f"{between} events were altered, removed, inserted or reordered together with their leaves"
            yield f"places {' and '.join(map(str, swapped))}: the events were put in each other's place" if swapped else together

    def _grown(self, moved: Held = NONE) -> Stack:
        """The tree with what came since the last signed state; `moved`: place → another leaf than the one that stands there."""
        nodes = list(self._stack or [])
        for run in self._runs:
            leaves = [moved.get(place, leaf) for place, leaf in enumerate(run.leaves, run.first)] if moved else []
            nodes += subtrees(run.first, leaves) if leaves else run.nodes
        return joined(nodes)

    def _close(self, manifest: Json, size: int) -> None:
        """What the manifest promises, what witnesses hold, and what the signed counts say of the filter."""
        self._trust("the manifest", manifest)
        promised, facets = manifest["rows"], manifest["facets"]
        self._say(f"the file ends at {size}, its manifest at {manifest['end']}", when=manifest["ends"] != (size, self.state["root"]))
        self._say(f"the file holds {self.events} events, its manifest promises {promised}", when=promised != self.events)
        held = max((held for origin, held in self._witnesses if origin == manifest["origin"]), default=0)
        cut = f"the log was cut or put back: a witness holds a state of {held} events, the file ends at {size}"
        self._say(cut, when=held > size and "until" not in manifest["filters"])
        self.complete = self._count(*facets[0], several=len(facets) > 1) if facets else self.complete

    def _count(self, name: str, value: str, *, several: bool) -> str:
        name, value = ("target", f"app/{value}") if name == "app" else (name, value)
        if self._withheld:
            return "every row is in the log; whoever may read a part of it alone gets no counts, so rows of that part may be missing"
        if several or name not in COUNTED or "," in value or value.endswith("*"):
            return "every row is in the log; several filters together have no signed count to hold them against"
        counted = self._counts[hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:32]]
        found = f"the signed counts say {counted} events of {name} {value}, and the file holds {self.events}"
        self._say(f"{found}: the file is not complete", when=counted != self.events)
        return found

    def __str__(self) -> str:
        gone = f"{self.expired} events are gone because their time was over, as the log itself says; their leaves are in order"
        read_ = f"log {self.state['origin']}: {self.events} events read, state {self.state['size']}, root {self.state['root']}"
        lines = [*self.findings, *([gone] if self.expired else []), read_, *(f"signed by {key}" for key in sorted(self.keys))]
        lines += [f"{self.witnessed} states compared with those of witnesses"] if self._witnesses else []
        return "\n".join([*lines, f"{len(self.findings)} findings" if self.findings else f"nothing is wrong; {self.complete}"])


def parts(source: Iterable[bytes]) -> Iterator[Part]:
    rest = b""
    for piece in source:
        head, _, rest = (rest + piece).rpartition(b"\n")
        yield from read(head)
    yield from read(rest)


def parts_of(path: str) -> Iterator[Part]:
    place = pathlib.Path("/dev/stdin" if path == "-" else path)
    with gzip.open(place) if path.endswith(".gz") else place.open("rb") as file:
        yield from parts(iter(lambda: file.read(BLOCK), b""))


def leaves(source: Iterable[Part]) -> Held:
    """Place → leaf of an earlier export."""
    return {place: leaf for kind, run in source if kind == "run" for place, leaf in enumerate(run.leaves, run.first)}


def witnessed(paths: Iterable[str]) -> Held:
    """Origin and size → root of the signed notes in files, and in the text files of folders."""
    files = (file for path in map(pathlib.Path, paths) for file in (path.rglob("*.txt") if path.is_dir() else [path]))
    notes = (note.split("\n") for file in files for note in NOTE.findall(file.read_text(encoding="utf-8")))
    return {(origin, int(size)): base64.b64decode(top).hex() for origin, size, top, *_ in notes}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("file", help="an export in JSON lines; - for standard input")
    parser.add_argument("--key", action="append", default=[], help="verifier key that you trust, as `plane audit checkpoint` prints it")
    parser.add_argument("--against", help="an earlier export of the same log: names every row that differs from it")
    parser.add_argument("--witness", action="append", default=[], help="signed states of the log, as somebody else keeps them")
    parser.add_argument("--part", action="store_true", help="the file is a sink's: it has no manifest")
    given = parser.parse_args()
    verifier = Verifier(given.key, leaves(parts_of(given.against)) if given.against else NONE, witnessed(given.witness), part=given.part)
    print(verifier.take(parts_of(given.file)))
    return bool(verifier.findings)


if __name__ == "__main__":
    sys.exit(main())
