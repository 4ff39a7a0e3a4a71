"""Objects on their way out: waited for by watch, and never without saying who holds them."""

import asyncio
import contextlib
from collections.abc import Callable

from plane.agent.applying import apply, refusals
from plane.agent.watching import cluster, waits
from plane.domain import errors, objects

GONE_S = 300.0  # the garbage collector of a busy cluster takes a minute, and starts over when a definition comes or goes
SAY_AFTER_S = 5.0


class StillThere(errors.PlaneError):
    """Deleted, and held by somebody."""

    code = "object-still-there"


async def gone(there: cluster.Cluster, applier: apply.Applier, key: objects.ObjectKey, *, tell: Callable[[str], None]) -> None:
    """Return once the object is gone; `tell` gets a sentence when that takes a while, and an empty one afterwards. Raises StillThere."""
    with contextlib.suppress(TimeoutError):
        await _until_gone(there, key, SAY_AFTER_S)
        return
    tell(f"waiting for {await _held(there, applier, key)}")
    try:
        await _until_gone(there, key, GONE_S - SAY_AFTER_S)
    except TimeoutError as e:
        raise StillThere(f"still there {GONE_S:.0f} s after its deletion: {await _held(there, applier, key)}") from e
    finally:
        tell("")


async def _until_gone(there: cluster.Cluster, key: objects.ObjectKey, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await there.waits.until(key, waits.gone, there.watches.get(key))


async def _held(there: cluster.Cluster, applier: apply.Applier, key: objects.ObjectKey) -> str:
    """Asked once, now that it matters: records keep no finalizers."""
    resource = there.kinds.preferred(key.group, key.kind)
    try:
        live = await applier.get(key, resource.api_version) if resource else None
    except errors.PlaneError as e:
        return f"{key} to go; why it stays could not be read: {e}"
    return refusals.held(key, list((live or {}).get("metadata", {}).get("finalizers") or []))
