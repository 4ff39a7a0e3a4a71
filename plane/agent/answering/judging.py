"""How what descends from an app's objects is: users' checks go before our own rules there, too, within a time."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from plane.agent.answering import masking, question
from plane.domain import objects
from plane.domain.health import health, health_scripts
from plane.domain.viewing import tree

Body = dict[str, Any]
PATIENCE_S = 3.0  # for all scripts of one question, which somebody waits for


class Judging:
    """Of one question. `warnings`: what users' checks were not asked about."""

    def __init__(self, asked: question.Asked, veil: masking.Veil) -> None:
        self._asked = asked
        self._veil = veil
        self._until = time.monotonic() + PATIENCE_S
        self._unasked = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences."""
        if not self._unasked:
            return ()
        spent = f"health checks of yours were asked for {PATIENCE_S:.0f} s"
        return (f"{spent}; {self._unasked} objects for which there is one are shown as the plane's own rules judge them",)

    def scripted(self, one: tree.Seen) -> bool:
        """Whether a user's check is for its kind."""
        return self._script(one) is not None

    async def all(
        self, seen: Iterable[tree.Seen], bodies: Mapping[objects.ObjectKey, Body], roots: Mapping[str, objects.ObjectKey]
    ) -> dict[objects.ObjectKey, health.Health]:
        """Those whose bodies are there; `roots`: uid → the object of the app that it comes from."""
        return {one.key: await self._of(one, bodies[one.key], roots.get(one.uid, one.key)) for one in seen if one.key in bodies}

    async def _of(self, one: tree.Seen, body: Body, root: objects.ObjectKey) -> health.Health:
        script = self._script(one)
        if script is None or health.unasked(body) is not None:
            return health.judge(body)
        if time.monotonic() > self._until:
            self._unasked += 1
            return health.judge(body)
        return await self._asked.there.custom.health(script, self._veil.over(body, root))

    def _script(self, one: tree.Seen) -> health_scripts.Script | None:
        return self._asked.there.custom.judge(self._asked.whose, *one.kind)
