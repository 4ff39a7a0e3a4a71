"""A question of the plane, and what every answer to one stands on."""

from typing import TypeVar

import msgspec

from plane.agent.answering import streams
from plane.agent.applying import apply, planning
from plane.agent.watching import cluster
from plane.domain import errors, levels
from plane.wire import agent

T = TypeVar("T")


class Absent(errors.PlaneError):
    """What was asked about is not there, or not the app's to know."""

    code = "absent"


class Asked(msgspec.Struct, frozen=True):
    """A query task that was let in, with what there is to answer it."""

    there: cluster.Cluster
    applier: apply.Applier
    streams: streams.Streams
    work: planning.Work

    @property
    def task(self) -> agent.Task:
        """The task as the plane signed it; its keys were checked against its scope."""
        return self.work.task

    @property
    def whose(self) -> levels.Whose:
        """Of which tenant and project the app is."""
        return levels.Whose(self.task.tenant, self.task.project)

    def terms(self, kind: type[T]) -> T:
        """What the plane wants to know in particular; unreadable terms count as none, and a field that is missing has its default."""
        try:
            return msgspec.msgpack.decode(self.task.terms or b"\x80", type=kind)
        except msgspec.MsgspecError as e:
            message = f"this agent cannot read the question {self.task.query!r}; upgrade it"
            raise Unreadable(message) from e


class Unreadable(errors.PlaneError):
    """Terms of a question that this version does not understand."""

    code = "question-unreadable"
