"""What the pool, the template and a cell say to each other; msgpack."""

from typing import Any

import msgspec

from plane import ports

MIB = 1024 * 1024


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one render. Reaching one fails this render and nothing else."""

    wall_s: float = 60
    cpu_s: int = 60
    memory_bytes: int = 512 * MIB  # resident, program included
    output_bytes: int = 50 * MIB
    objects: int = 20_000
    processes: int = 128  # and threads; Go starts about ten


class Start(msgspec.Struct, frozen=True):
    """To the template, once: renderer → module whose `render` does it."""

    modules: dict[str, str]


class Started(msgspec.Struct, frozen=True):
    """The template's answer: what this kernel or container withholds."""

    missing: tuple[str, ...]


class Order(msgspec.Struct, frozen=True):
    """To the template with the cell's channel and the pipe for `Took`: fork one. `slot` is unique among those running."""

    slot: int
    renderer: str
    limits: Limits
    program: str = ""
    folder: str = ""
    patient: bool = False


class Work(msgspec.Struct, frozen=True):
    """To the cell."""

    job: ports.RenderJob


class Made(msgspec.Struct, frozen=True, tag="made"):
    """Objects with file and line."""

    objects: tuple[tuple[str, int, dict[str, Any]], ...]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A RenderFailed taken apart."""

    reason: str
    where: str


Answer = Made | Refused


class Took(msgspec.Struct, frozen=True):
    """From the template when a cell has ended: what it and the programs it waited for took."""

    cpu_s: float
    peak_bytes: int
