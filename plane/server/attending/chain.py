"""Whether what an agent sends of its journal continues what is known of it: hashes, places and signatures."""

from collections.abc import Sequence

import msgspec

from plane.store.auditing import journals
from plane.wire import journal

_ENTRY = msgspec.msgpack.Decoder(journal.Entry)


class Followed(msgspec.Struct, frozen=True):
    """What came of frames: new entries of kinds that are known here, the chain's end, and what was found wrong.

    `holes`: first and last place of what was never told; `fault`: why what follows was not taken, empty for nothing.
    """

    entries: tuple[journal.Entry, ...]
    end: journals.Mark
    holes: tuple[tuple[int, int], ...] = ()
    fault: str = ""


class Signers(msgspec.Struct, frozen=True):
    """An agent and its public keys by generation from 1."""

    agent_id: str
    keys: Sequence[bytes]

    def signed(self, name: str, frame: journal.Frame) -> bool:
        """Whether the frame is this agent's."""
        known = 0 < frame.generation <= len(self.keys)
        return known and journal.signed_by(self.keys[frame.generation - 1], self.agent_id, name, frame)


def follow(known: journals.Mark, sent: journal.Journal, signers: Signers) -> Followed:
    """Go along the frames from what is known, up to the first that does not hold."""
    end = known if known.seq else journals.Mark(0, journal.origin(sent.id))
    entries: list[journal.Entry] = []
    holes: list[tuple[int, int]] = []
    for frame in sent.frames:
        if frame.last < end.seq or not frame.entries:
            continue
        fault = _fault(end, frame, sent.id, signers)
        if fault:
            return Followed(tuple(entries), end, tuple(holes), fault)
        if frame.first > end.seq + 1:
            holes.append((end.seq + 1, frame.first - 1))
        entries += [one for one in _read(frame) if one.seq > end.seq]
        end = journals.Mark(frame.last, journal.chain(frame.before, frame.entries))
    return Followed(tuple(entries), end, tuple(holes))


def _fault(end: journals.Mark, frame: journal.Frame, name: str, signers: Signers) -> str:
    if not signers.signed(name, frame):
        return f"the signature of entries {frame.first} to {frame.last} does not hold"
    if not _in_place(frame):
        return f"entries {frame.first} to {frame.last} are not in their places"
    known = max(0, end.seq - frame.first + 1)  # entries of the frame that were told before
    if frame.first <= end.seq + 1 and journal.chain(frame.before, frame.entries[:known]) != end.hash:
        return f"it has other entries up to {end.seq} than those that were told before"
    return ""


def _in_place(frame: journal.Frame) -> bool:
    try:
        return all(_place(entry) == place for place, entry in enumerate(frame.entries, frame.first))
    except (msgspec.MsgspecError, LookupError, TypeError):
        return False


def _place(entry: bytes) -> int:
    found: int = msgspec.msgpack.decode(entry)["seq"]
    return found


def _read(frame: journal.Frame) -> list[journal.Entry]:
    """Those of kinds that this version knows."""
    found = []
    for entry in frame.entries:
        try:
            found.append(_ENTRY.decode(entry))
        except msgspec.ValidationError:
            continue
    return found
