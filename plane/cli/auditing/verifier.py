"""Checks an exported audit log with nothing but this file, Python and `cryptography`: python verifier.py [--key VKEY] EXPORT.jsonl[.gz].

The log is a Merkle tree (RFC 6962) whose states are signed (https://c2sp.org/tlog-checkpoint). The export holds its rows, hashes in
place of rows that a filter left out, and every signed state between. Exit 0: nothing is wrong; 1: each finding is a line.
"""

import argparse
import base64
import binascii
import dataclasses
import gzip
import hashlib
import itertools
import json
import pathlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

# an event with what the log says of it, or any other line
LINE = re.compile(
    rb'\{"event":\{"seq":(\d{1,18}),"leaf":"(.{64})"(?:,"personal":\{"salt":"([^"]*)","of":(\{[^}\n]*\}(?:[^}\n]*\})*?)\})?'
    rb',"event":(.*)\}\}(?:\n|\Z)|(.+)'
)
COUNTS = re.compile(rb',"counts":(\{[^][]*\}\})(?=,"peaks":)')
NOTE = re.compile(r"((?:[^\n]+\n)+)\n(?:\u2014 [^\n]+\n)+")
KIND_AT = 90  # where an event's type begins: its id and time stand before, which are always as long
MANIFEST_CONTEXT = b"gitops-plane/audit-manifest/v1\0"
SWAPPED = 64  # rows between two signed states up to which any two are tried in each other's place; above, only neighbours
COUNTED = ("type", "project", "target", "cluster", "outcome")
BLOCK = 1 << 22  # bytes that are worked on at a time
SIZE = 32  # bytes of a hash
NONE: dict[Any, Any] = {}
Json = dict[str, Any]
Held = Mapping[Any, Any]  # by place a leaf, or by origin and size a root
Part = tuple[str, Any]  # run, state, manifest or garbage, and what it says
Stack = list[tuple[int, bytes]]  # full subtrees, largest first: (height, root)


@dataclasses.dataclass
class Run:
    """Places in a row, and the full subtrees over them; no leaves where a filter left events out.

    found: what a text gives where that is not its leaf. told: events about the log itself.
    """

    first: int
    nodes: Stack
    leaves: bytes = b""  # one after the other
    found: dict[int, bytes] = dataclasses.field(default_factory=dict)
    gone: list[int] = dataclasses.field(default_factory=list)
    renamed: list[int] = dataclasses.field(default_factory=list)
    told: list[Json] = dataclasses.field(default_factory=list)

    def end(self) -> int:
        return self.first + sum(1 << height for height, _ in self.nodes)

    def rows(self) -> Iterable[tuple[int, bytes]]:
        """Place and leaf."""
        return enumerate(parted(self.leaves), self.first)


def push(stack: Stack, height: int, hashed: bytes) -> None:
    """Put a full subtree behind those on the stack, and join what is full."""
    while stack and stack[-1][0] == height:
        hashed, height = hashlib.sha256(b"\x01" + stack.pop()[1] + hashed).digest(), height + 1
    stack.append((height, hashed))


def root(stack: Stack) -> str:
    """The hash of the whole tree."""
    found = stack[-1][1] if stack else hashlib.sha256().digest()
    for _, left in reversed(stack[:-1]):
        found = hashlib.sha256(b"\x01" + left + found).digest()
    return found.hex()


def parted(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + SIZE] for at in range(0, len(hashes), SIZE)]


def subtrees(first: int, hashes: list[bytes]) -> Stack:
    """The full subtrees over leaves that begin at place `first`, in order."""
    before: Stack = []
    after: Stack = []
    height, sha256 = 0, hashlib.sha256
    while hashes:
        if first & 1:
            before.append((height, hashes[0]))
            hashes, first = hashes[1:], first + 1
        if len(hashes) & 1:
            after.append((height, hashes[-1]))
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=False)]
        first, height = first >> 1, height + 1
    return before + after[::-1]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def key_id(name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]  # 1: Ed25519


def vkey(name: str, key: bytes) -> str:
    """The key as tools for signed notes write it."""
    return f"{name}+{key_id(name, key).hex()}+{b64(bytes([1]) + key)}"


def signed_by(key: bytes, signature: bytes, text: bytes) -> bool:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def read(block: bytes) -> list[Part]:
    """Whole lines of an export, and all of it that needs no other lines: rows with their hashes, states with their signatures."""
    lines = LINE.findall(block)
    places = [int(line[0] or -2) for line in lines]  # -2: it is no event, and no place comes after it
    starts = [at for at, (before, place) in enumerate(itertools.pairwise([-2, *places, -2])) if place != before + 1]
    return [_other(lines[at][-1]) if places[at] < 0 else _run(places[at], lines[at:end]) for at, end in itertools.pairwise(starts)]


def _run(first: int, rows: list[tuple[bytes, ...]]) -> Part:
    sha256, unhex = hashlib.sha256, binascii.unhexlify
    _, hashes, salts, told, bodies, _ = zip(*rows, strict=True)
    texts = [sha256(b"\x00" + body).digest() for body in bodies]
    try:
        leaves = unhex(b"".join(hashes))
        people = [(at, sha256(unhex(salts[at]) + one).hexdigest().encode()) for at, one in enumerate(told) if one]
    except ValueError:
        return "garbage", f"one of places {first} to {first + len(rows) - 1}, with a hash that is none"
    run = Run(first, subtrees(first, parted(leaves)), leaves)
    run.renamed = [first + at for at, person in people if b'"personal":"%b"' % person not in bodies[at]]
    if b"".join(texts) != leaves:
        run.found = {place: text for (place, leaf), text in zip(run.rows(), texts, strict=True) if text != leaf}
        run.gone = [place for place in run.found if bodies[place - first] == b"null"]
    about = (at for at, body in enumerate(bodies) if body.startswith(b"audit.", KIND_AT))
    run.told = [json.loads(bodies[at]) for at in about if first + at not in run.found]
    return "run", run


def _other(line: bytes) -> Part:
    counts = COUNTS.search(line)
    try:
        ((kind, value),) = json.loads(line.replace(counts[0], b"") if counts else line).items()
        if kind == "checkpoint":
            return "state", _state(value, counts[1] if counts else b"")
        return ("run", _gap(value)) if kind == "gap" else ("manifest", _manifest(value))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "garbage", line[:60].decode(errors="replace")


def _state(point: Json, counts: bytes) -> Json:
    """A signed state, with what its signature says (`holds`), its note, and its tree if it gives the signed root."""
    size, counted = point["size"], b64(hashlib.sha256(counts).digest()) if counts else point.get("counts_hash")
    lines = [point["origin"], str(size), b64(bytes.fromhex(point["root"])), point["time"]]
    text = "\n".join([*lines, *([f"counts {counted}"] if counted else []), ""])
    mark = b64(key_id(point["origin"], base64.b64decode(point["key"])) + base64.b64decode(point["signature"]))
    heights = [bit for bit in range(size.bit_length() - 1, -1, -1) if size >> bit & 1]
    stack = list(zip(heights, map(bytes.fromhex, point.get("peaks", ())), strict=False))
    told = {"note": f"{text}\n\u2014 {point['origin']} {mark}\n", "counts": counts, "withheld": "counts_hash" in point}
    return _signed(point, text.encode()) | told | {"stack": stack if root(stack) == point["root"] else None}


def _gap(gap: Json) -> Run:
    run = Run(gap["first"], [])
    for hashed in gap["nodes"]:
        place = run.end()
        height = min((place & -place).bit_length() - 1 if place else 62, (gap["end"] - place).bit_length() - 1)
        run.nodes.append((height, bytes.fromhex(hashed)))
    return run


def _manifest(manifest: Json) -> Json:
    unsigned = {name: value for name, value in manifest.items() if name != "signature"}
    text = json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return _signed(manifest, MANIFEST_CONTEXT + text)


def _signed(what: Json, text: bytes) -> Json:
    key, signature = base64.b64decode(what["key"]), base64.b64decode(what["signature"])
    return what | {"holds": signed_by(key, signature, text), "vkey": vkey(what["origin"], key)}


class Verifier:
    """Takes the parts of an export in order; holds those since the last signed state and nothing more.

    keys: those that are trusted, and so are later ones that the log tells of while they sign it; empty: all in the file, which are named.
    known: place → leaf of an earlier export. witnesses: (origin, size) → root, as others keep them. part: without a manifest.
    """

    def __init__(self, keys: Iterable[str] = (), known: Held = NONE, witnesses: Held = NONE, *, part: bool = False) -> None:
        self._trusted, self._known, self._witnesses, self._part = set(keys), known, witnesses, part
        self.findings: list[str] = []  # empty when nothing is wrong
        self.keys: set[str] = set()
        self.state: Json = {"origin": "", "size": 0, "root": "", "note": ""}  # the last one
        self.events, self.expired, self.witnessed = 0, 0, 0
        self.complete = "every event between its ends is in the file"
        self._stack: Stack | None = []
        self._next, self._began = 0, False  # the place that must come next
        self._runs: list[Run] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._withheld = False
        self._gone: list[int] = []  # places whose event is not there

    def take(self, parts: Iterable[Part]) -> "Verifier":
        """All of a file."""
        manifest: Json = {}
        for kind, value in parts:
            if kind == "run":
                self._run(value)
            elif kind == "state":
                self._state(value)
            elif kind == "manifest":
                manifest = value
            else:
                self._say(f"after place {self._next - 1} there is a line that no export has: {value!r}")
        self._say(*(f"place {seq}: the event was removed; its leaf is still there" for seq in self._gone if seq >= self.expired))
        self.expired = sum(seq < self.expired for seq in self._gone)
        self._say(f"places up to {self._next - 1} stand behind the last signed state: maybe inserted", when=self._runs)
        self._say("the file has no manifest: it is not whole; resume the export", when=not manifest and not self._part)
        if manifest:
            self._close(manifest, self.state["size"])
        return self

    def _say(self, *findings: str, when: object = True) -> None:
        self.findings += findings if when else ()

    def _run(self, run: Run) -> None:
        if run.first < self._next:
            self._say(f"place {run.first} comes after place {self._next - 1}: it was inserted, or the lines were reordered")
            leaves = run.leaves[(self._next - run.first) * SIZE :]
            run = dataclasses.replace(run, first=self._next, leaves=leaves, nodes=subtrees(self._next, parted(leaves)))
        self._missing(run.first)
        self._say(*(f"place {place}: name or address of who did it was altered" for place in run.renamed))
        others = [place for place, leaf in run.rows() if self._known.get(place, leaf) != leaf] if self._known else []
        self._say(*(f"place {place}: the leaf is another than in the earlier export: it was replaced, or moved" for place in others))
        left = [event["details"]["before"] for event in run.told if event["type"] == "audit.retention.applied"]
        self.events, self.expired = self.events + len(run.leaves) // SIZE, max([self.expired, *left])
        self._gone += run.gone
        self._runs.append(run)
        self._next, self._began = run.end(), True

    def _missing(self, place: int) -> None:
        if place > self._next:
            self._say(f"the events at places {self._next} to {place - 1} are missing: removed")
            self._stack = None

    def _state(self, state: Json) -> None:
        named, size, held = f"the state at {state['size']}", state["size"], self._witnesses.get((state["origin"], state["size"]))
        self._signed(named, state)
        self._withheld |= state["withheld"]
        self._say(f"{named} is of another log: {state['origin']}", when=self.state["origin"] not in ("", state["origin"]))
        self._say(f"{named} is not the one that a witness holds: the log was rewritten", when=held not in (None, state["root"]))
        self.witnessed += held is not None
        if self._began:
            self._missing(size)
            self._compare(state)
            for name, counts in json.loads(state["counts"] if state["holds"] and state["counts"] else b"{}").items():
                self._counts.update({(name, value): count for value, count in counts.items()})
        else:
            self._stack, self._began = state["stack"], True
        self._next, self._runs, self.state = max(self._next, size), [], state

    def _signed(self, named: str, what: Json) -> None:
        self.keys.add(what["vkey"])
        self._say(f"the signature of {named} does not hold: it was altered", when=not what["holds"])
        if self._trusted and what["vkey"] not in self._trusted:
            self._say(f"{named} is signed by {what['vkey']}, which is not a key that you trust, nor one that such a key vouches for")

    def _compare(self, state: Json) -> None:
        """The rows since the last signed state against this one; then on from this one's own tree, so that one fault hides no other."""
        found = {place: text for run in self._runs for place, text in run.found.items() if place not in run.gone}
        grown = self._grown()
        if found or root(grown) != state["root"]:
            self._say(*self._faults(state["root"], found))
        elif state["holds"] and state["vkey"] in self._trusted and self._stack is not None:
            changes = (event["details"] for run in self._runs for event in run.told if event["type"] == "audit.key.changed")
            self._trusted.update(change["after"] for change in changes if change["before"] == state["vkey"])
        self._stack = state["stack"] or (None if self._stack is None else grown)

    def _faults(self, wanted: str, found: Held) -> Iterator[str]:
        between = f"between the signed states at {self.state['size']} and {self._next}"
        if self._stack is None:
            yield from [f"{between} the text of place {', '.join(map(str, found))} does not give its leaf"] if found else []
        elif root(self._grown()) == wanted:
            yield from (f"place {place}: the event was altered: its text does not give its leaf" for place in found)
        elif root(self._grown(found)) == wanted:
            yield from (f"place {place}: the leaf was altered; the event is as it was sealed" for place in found)
        else:
            leaves = {place: leaf for run in self._runs for place, leaf in run.rows()}
            pairs = itertools.combinations(leaves, 2) if len(leaves) <= SWAPPED else itertools.pairwise(leaves)
            swaps = ({one: leaves[other], other: leaves[one]} for one, other in pairs)
            swapped = next((swap for swap in swaps if root(self._grown(swap)) == wanted), None)
            together = f"{between} events were altered, removed, inserted or reordered together with their leaves"
            yield f"places {' and '.join(map(str, swapped))}: the events were put in each other's place" if swapped else together

    def _grown(self, moved: Held = NONE) -> Stack:
        """The tree with what came since the last signed state; `moved`: place → another leaf than the one that stands there."""
        stack = list(self._stack or [])
        for run in self._runs:
            leaves = [moved.get(place, leaf) for place, leaf in run.rows()] if moved else []
            for height, hashed in subtrees(run.first, leaves) if leaves else run.nodes:
                push(stack, height, hashed)
        return stack

    def _close(self, manifest: Json, size: int) -> None:
        """What the manifest promises, what witnesses hold, and what the signed counts say of the filter."""
        self._signed("the manifest", manifest)
        end, promised, whole = (manifest["end"], manifest["root"]), manifest["events"], "until" not in manifest["filters"]
        self._say(f"the file ends at {size}, its manifest at {end[0]}", when=end != (size, self.state["root"]))
        self._say(f"the file holds {self.events} events, its manifest promises {promised}", when=promised != self.events)
        held = max((held for origin, held in self._witnesses if whole and origin == manifest["origin"]), default=0)
        self._say(f"the log was cut or put back: a witness holds a state of {held} events, the file ends at {size}", when=held > size)
        facets = [(name, value) for name, value in manifest["filters"].items() if name not in ("since", "until")]
        if facets:
            self._count(*facets[0], several=len(facets) > 1)

    def _count(self, name: str, value: str, *, several: bool) -> None:
        if self._withheld:
            self.complete = (
                "every row is in the log; whoever may read a part of it alone gets no counts, so rows of that part may be missing"
            )
            return
        name, value = ("target", f"app/{value}") if name == "app" else (name, value)
        if several or name not in COUNTED or "," in value or value.endswith("*"):
            self.complete = "every row is in the log; several filters together have no signed count to hold them against"
            return
        counted = self._counts[name, hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:32]]
        self.complete = f"the signed counts say {counted} events of {name} {value}, and the file holds {self.events}"
        self._say(f"{self.complete}: the file is not complete", when=counted != self.events)

    def __str__(self) -> str:
        lines = list(self.findings)
        if self.expired:
            lines.append(f"{self.expired} events are gone because their time was over, as the log itself says; their leaves are in order")
        lines.append(f"log {self.state['origin']}: {self.events} events read, state {self.state['size']}, root {self.state['root']}")
        lines += [f"signed by {key}" for key in sorted(self.keys)]
        lines += [f"{self.witnessed} states compared with those of witnesses"] if self._witnesses else []
        return "\n".join([*lines, f"{len(self.findings)} findings" if self.findings else f"nothing is wrong; {self.complete}"])


def parts(source: Iterable[bytes]) -> Iterator[Part]:
    rest = b""
    for piece in source:
        head, _, rest = (rest + piece).rpartition(b"\n")
        yield from read(head)
    yield from read(rest)


def parts_of(path: str) -> Iterator[Part]:
    """Of a file."""
    place = pathlib.Path("/dev/stdin" if path == "-" else path)
    with gzip.open(place) if path.endswith(".gz") else place.open("rb") as file:
        yield from parts(iter(lambda: file.read(BLOCK), b""))


def leaves(source: Iterable[Part]) -> Held:
    """Place → leaf of an earlier export."""
    return {place: leaf for kind, run in source if kind == "run" for place, leaf in run.rows()}


def witnessed(paths: Iterable[str]) -> Held:
    """Origin and size → root of the signed notes in files, and in the text files of folders."""
    files = (file for path in map(pathlib.Path, paths) for file in (path.rglob("*.txt") if path.is_dir() else [path]))
    notes = (note.split("\n") for file in files for note in NOTE.findall(file.read_text(encoding="utf-8")))
    return {(lines[0], int(lines[1])): base64.b64decode(lines[2]).hex() for lines in notes}


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
