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
from collections.abc import Iterable, Iterator
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

ROW = re.compile(r'\{"event":\{"seq":(\d+),"leaf":"([0-9a-f]{64})"(?:,"personal":(\{.*?\}\}))?,"event":(.*)\}\}')
EXPIRED = '"type":"audit.retention.applied"'
MANIFEST_CONTEXT = b"gitops-plane/audit-manifest/v1\0"
SWAPPED = 64  # rows between two signed states up to which any two are tried in each other's place; above, only neighbours
COUNTED = ("type", "project", "target", "cluster", "outcome")
Stack = list[tuple[int, bytes]]  # full subtrees, largest first: (height, root)


@dataclasses.dataclass
class Row:
    """`stated`: the hash that the log holds; `found`: the hash of the text as it is now. Both are equal in a row that nobody touched."""

    seq: int
    stated: bytes
    found: bytes
    height: int = 0


@dataclasses.dataclass
class Report:
    """What was found. `findings` is empty when nothing is wrong."""

    origin: str = ""
    keys: set[str] = dataclasses.field(default_factory=set)
    events: int = 0
    expired: int = 0
    first: int = -1
    end: int = 0
    root: str = ""
    note: str = ""
    complete: str = ""
    findings: list[str] = dataclasses.field(default_factory=list)


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def push(stack: Stack, height: int, hashed: bytes) -> None:
    """Put a full subtree behind those on the stack, and join what is full."""
    while stack and stack[-1][0] == height:
        hashed, height = node(stack.pop()[1], hashed), height + 1
    stack.append((height, hashed))


def root(stack: Stack) -> bytes:
    """The hash of the whole tree."""
    found = stack[-1][1] if stack else hashlib.sha256().digest()
    for _, left in reversed(stack[:-1]):
        found = node(left, found)
    return found


def peaks(point: dict[str, Any]) -> Stack | None:
    """The tree at a signed state, if the state says it and it gives the signed root."""
    heights = [bit for bit in range(int(point["size"]).bit_length() - 1, -1, -1) if point["size"] >> bit & 1]
    said = [bytes.fromhex(peak) for peak in point.get("peaks", ())]
    stack = list(zip(heights, said, strict=False))
    return stack if len(said) == len(heights) and root(stack).hex() == point["root"] else None


def unb64(text: str) -> bytes:
    return base64.b64decode(text)


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def key_id(name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]


def vkey(name: str, key: bytes) -> str:
    """The key as tools for signed notes write it."""
    marked = base64.b64encode(b"\x01" + key).decode()
    return f"{name}+{key_id(name, key).hex()}+{marked}"


def note_text(point: dict[str, Any]) -> bytes:
    """What a signed state's signature is over."""
    lines = [point["origin"], str(point["size"]), base64.b64encode(bytes.fromhex(point["root"])).decode(), point["time"]]
    if point.get("counts"):
        lines.append(f"counts {base64.b64encode(hashlib.sha256(canonical(point['counts'])).digest()).decode()}")
    return "".join(f"{line}\n" for line in lines).encode()


def signed_by(key: bytes, signature: bytes, text: bytes) -> bool:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def steps(index: int, last: int, path: Iterable[bytes]) -> Iterator[tuple[bool, bytes]]:
    """The hashes of a proof from leaf `index` of 0 to `last` upwards, and whether each stands on the left; ValueError: another length."""
    for hashed in path:
        if last == 0:
            raise ValueError("the proof is too long")
        left = bool(index & 1) or index == last
        yield left, hashed
        while left and not index & 1 and index:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")


def included(leaf: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2)."""
    found = leaf
    for left, hashed in steps(index, size - 1, path):
        found = node(hashed, found) if left else node(found, hashed)
    return found


def continues(old: tuple[int, bytes], new: tuple[int, bytes], path: list[bytes]) -> bool:
    """Whether a consistency proof holds between (size, root) and (size, root) (RFC 9162 section 2.1.4.2)."""
    if old[0] == new[0]:
        return old[1] == new[1] and not path
    index, last = old[0] - 1, new[0] - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    path = path if index else [old[1], *path]
    if not path:
        return False
    before = after = path[0]
    try:
        for left, hashed in steps(index, last, path[1:]):
            before, after = (node(hashed, before), node(hashed, after)) if left else (before, node(after, hashed))
    except ValueError:
        return False
    return (before, after) == (old[1], new[1])


class Verifier:
    """Takes an export line by line; holds the rows since the last signed state and nothing more.

    keys: verifier keys that are trusted; empty: those in the file are, and the report names them.
    known: place → leaf from an earlier export, which names the rows that differ from it. part: what a sink keeps, without a manifest.
    """

    def __init__(self, keys: Iterable[str] = (), known: dict[int, str] | None = None, *, part: bool = False) -> None:
        self.report = Report()
        self._part = part
        self._trusted = frozenset(keys)
        self._known = known or {}
        self._stack: Stack | None = []
        self._size = 0  # of the last signed state
        self._next = 0  # the place that must come next
        self._rows: list[Row] = []
        self._counts: dict[str, dict[str, int]] = {}
        self._manifest: dict[str, Any] | None = None
        self._began = False
        self._gone: list[int] = []  # places whose event is not there
        self._expired = 0  # the place before which the log itself says that they may be gone

    def line(self, text: str) -> None:
        """One line of the export."""
        row = ROW.fullmatch(text)
        if row:
            self._event(int(row[1]), row[2], row[4])
            if row[3]:
                self._personal(int(row[1]), json.loads(row[3]), json.loads(row[4]))
            return
        try:
            ((kind, value),) = json.loads(text).items()
            {"checkpoint": self._checkpoint, "gap": self._gap, "manifest": self._take_manifest}[kind](value)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            self._say(f"after place {self._next - 1} there is a line that no export has: {text[:60]!r}")

    def finish(self) -> Report:
        """The end of the file."""
        self._began = True
        removed = [f"place {seq}: the event was removed; its leaf is still there" for seq in self._gone if seq >= self._expired]
        self.report.expired = len(self._gone) - len(removed)
        self.report.findings += removed
        if self._rows:
            self._say(f"places {self._rows[0].seq} to {self._rows[-1].seq} stand behind the last signed state: they may have been inserted")
        if self._manifest is None and self._part:
            self.report.complete = "every event between its ends is in the file"
        elif self._manifest is None:
            self._say("the file has no manifest: it is not whole; resume the export")
        else:
            self._close(self._manifest)
        self.report.end = self._size
        return self.report

    def _say(self, finding: str) -> None:
        self.report.findings.append(finding)

    def _event(self, seq: int, leaf: str, body: str) -> None:
        self._began = True
        if seq < self._next:
            self._say(f"place {seq} comes after place {self._next - 1}: it was inserted, or the lines were reordered")
            return
        self._missing(seq)
        stated = bytes.fromhex(leaf)
        found = stated if body == "null" else hashlib.sha256(b"\x00" + body.encode()).digest()
        if body == "null":
            self._gone.append(seq)
        elif EXPIRED in body and json.loads(body)["type"] in EXPIRED:
            self._expired = max(self._expired, json.loads(body)["details"]["before"])
        if self._known.get(seq, leaf) != leaf:
            self._say(f"place {seq}: the leaf is another than in the earlier export: the event was replaced, or moved")
        self._rows.append(Row(seq, stated, found))
        self._next, self.report.events = seq + 1, self.report.events + 1
        self.report.first = seq if self.report.first < 0 else self.report.first

    def _personal(self, seq: int, personal: dict[str, Any], event: dict[str, Any]) -> None:
        told = hashlib.sha256(bytes.fromhex(personal["salt"]) + canonical(personal["of"])).hexdigest()
        if told != event["actor"].get("personal"):
            self._say(f"place {seq}: name or address of who did it was altered")

    def _missing(self, seq: int) -> None:
        if seq > self._next:
            several = seq - self._next > 1
            self._say(f"{f'places {self._next} to {seq - 1} are' if several else f'place {self._next} is'} missing: removed")
            self._stack = None

    def _gap(self, gap: dict[str, Any]) -> None:
        self._began = True
        self._missing(gap["first"])
        position = gap["first"]
        for hashed in gap["nodes"]:
            height = min((position & -position).bit_length() - 1 if position else 62, (gap["end"] - position).bit_length() - 1)
            self._rows.append(Row(position, bytes.fromhex(hashed), bytes.fromhex(hashed), height))
            position += 1 << height
        self._next = max(self._next, position)

    def _checkpoint(self, point: dict[str, Any]) -> None:
        self._check_signature(point)
        if not self._began:
            self._stack, self._next, self._began = peaks(point), point["size"], True
        else:
            self._missing(point["size"])
            self._compare(point)
            for name, counts in point.get("counts", {}).items():
                for value, count in counts.items():
                    of = self._counts.setdefault(name, {})
                    of[value] = of.get(value, 0) + count
        self._next = max(self._next, point["size"])
        self._rows, self._size = [], point["size"]
        self.report.root = point["root"]

    def _check_signature(self, point: dict[str, Any]) -> None:
        key = unb64(point["key"])
        marked = key_id(point["origin"], key) + unb64(point["signature"])
        if not signed_by(key, unb64(point["signature"]), note_text(point)):
            self._say(f"the signature of the state at {point['size']} does not hold: it was altered")
        name = vkey(point["origin"], key)
        if self._trusted and name not in self._trusted:
            self._say(f"the state at {point['size']} is signed by {name}, which is not a key that you trust")
        if self.report.origin not in ("", point["origin"]):
            self._say(f"the state at {point['size']} is of another log: {point['origin']}")
        self.report.origin = point["origin"]
        self.report.keys.add(name)
        self.report.note = f"{note_text(point).decode()}\n— {point['origin']} {base64.b64encode(marked).decode()}\n"

    def _compare(self, point: dict[str, Any]) -> None:
        """The rows since the last signed state against this one; then on from this one's own tree, so that one fault hides no other."""
        self._find(point["root"], [row for row in self._rows if row.stated != row.found])
        here = peaks(point)
        if here is None and self._stack is not None:
            for row in self._rows:
                push(self._stack, row.height, row.stated)
        self._stack = here or self._stack

    def _find(self, wanted: str, altered: list[Row]) -> None:
        between = f"between the signed states at {self._size} and {self._next}"
        if self._stack is not None and self._gives(self._rows, wanted, [row.stated for row in self._rows]):
            for row in altered:
                self._say(f"place {row.seq}: the event was altered: its text does not give its leaf")
        elif self._stack is not None and altered and self._gives(self._rows, wanted, [row.found for row in self._rows]):
            for row in altered:
                self._say(f"place {row.seq}: the leaf was altered; the event is as it was sealed")
        elif self._stack is not None:
            swapped = self._swapped(wanted)
            self._say(
                f"places {swapped[0]} and {swapped[1]}: the events were put in each other's place"
                if swapped
                else f"{between} events were altered, removed, inserted or reordered together with their leaves"
            )
        elif altered:
            self._say(f"{between} the text of place {', '.join(str(row.seq) for row in altered)} does not give its leaf")

    def _gives(self, rows: list[Row], wanted: str, hashes: list[bytes]) -> bool:
        stack = list(self._stack or [])
        for row, hashed in zip(rows, hashes, strict=True):
            push(stack, row.height, hashed)
        return root(stack).hex() == wanted

    def _swapped(self, wanted: str) -> tuple[int, int] | None:
        hashes, count = [row.stated for row in self._rows], len(self._rows)
        pairs = itertools.combinations(range(count), 2) if count <= SWAPPED else zip(range(count - 1), range(1, count), strict=True)
        for one, other in pairs:
            tried = list(hashes)
            tried[one], tried[other] = tried[other], tried[one]
            if self._gives(self._rows, wanted, tried):
                return self._rows[one].seq, self._rows[other].seq
        return None

    def _take_manifest(self, manifest: dict[str, Any]) -> None:
        self._manifest = manifest
        unsigned = canonical({name: value for name, value in manifest.items() if name != "signature"})
        key = unb64(manifest["key"])
        if not signed_by(key, unb64(manifest["signature"]), MANIFEST_CONTEXT + unsigned):
            self._say("the manifest's signature does not hold: it was altered")
        if self._trusted and vkey(manifest["origin"], key) not in self._trusted:
            self._say("the manifest is signed by a key that you do not trust")

    def _close(self, manifest: dict[str, Any]) -> None:
        """What the manifest promises, and what the signed counts say of the filter."""
        if (manifest["end"], manifest["root"]) != (self._size, self.report.root):
            self._say(f"the file ends at {self._size}, its manifest at {manifest['end']}")
        if manifest["events"] != self.report.events:
            self._say(f"the file holds {self.report.events} events, its manifest promises {manifest['events']}")
        facets = {name: value for name, value in manifest["filters"].items() if name not in ("since", "until")}
        self.report.complete = "every event between its ends is in the file"
        if not facets:
            return
        name, value = next(iter(facets.items()))
        name, value = ("target", f"app/{value}") if name == "app" else (name, value)
        if len(facets) > 1 or name not in COUNTED or "," in value or value.endswith("*"):
            self.report.complete = "every row is in the log; several filters together have no signed count to hold them against"
            return
        counted = self._counts.get(name, {}).get(hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:32], 0)
        self.report.complete = f"the signed counts say {counted} events of {name} {value}, and the file holds {self.report.events}"
        if counted != self.report.events:
            self._say(f"{self.report.complete}: the file is not complete")


def lines(path: str) -> Iterator[str]:
    path = "/dev/stdin" if path == "-" else path
    with gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else pathlib.Path(path).open(encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file)


def leaves(path: str) -> dict[int, str]:
    """Place → leaf of an earlier export."""
    return {int(row[1]): row[2] for row in map(ROW.fullmatch, lines(path)) if row}


def verify(text: Iterable[str], keys: Iterable[str] = (), known: dict[int, str] | None = None, *, part: bool = False) -> Report:
    """All of an export."""
    verifier = Verifier(keys, known, part=part)
    for line in text:
        verifier.line(line)
    return verifier.finish()


def show(report: Report) -> Iterator[str]:
    """The report as people read it."""
    yield from report.findings
    if report.expired:
        yield f"{report.expired} events are gone because their time was over, as the log itself says; their leaves are in order"
    yield f"log {report.origin}: {report.events} events read, state {report.end}, root {report.root}"
    yield from (f"signed by {key}" for key in sorted(report.keys))
    yield f"{len(report.findings)} findings" if report.findings else f"nothing is wrong; {report.complete}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("file", help="an export in JSON lines; - for standard input")
    parser.add_argument("--key", action="append", default=[], help="verifier key that you trust, as `plane audit checkpoint` prints it")
    parser.add_argument("--against", help="an earlier export of the same log: names every row that differs from it")
    parser.add_argument("--part", action="store_true", help="the file is a sink's: it has no manifest")
    given = parser.parse_args()
    report = verify(lines(given.file), given.key, leaves(given.against) if given.against else None, part=given.part)
    print("\n".join(show(report)))
    return bool(report.findings)


if __name__ == "__main__":
    sys.exit(main())
