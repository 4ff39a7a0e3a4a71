"""Whether a difference that the structural comparison finds is one: the API server's dry run says."""

from typing import Any

from plane.agent.applying import apply
from plane.agent.kept import book, releases, rules, writing
from plane.agent.watching import cluster
from plane.domain import objects
from plane.domain.comparing import prediction


async def fields(
    there: cluster.Cluster, applier: apply.Applier, held: book.Held, key: objects.ObjectKey, live: dict[str, Any]
) -> tuple[str, ...] | None:
    """What an apply of what the app wants would change of the live object; None where it is not asked, because of `ServerSideDiff=false`.

    Raises:
        PlaneError: the API server refuses, or secret values cannot be opened.
    """
    wanted, release = held.objects.get(key), there.book.release(held.id)
    if wanted is None or release is None or release.digest != held.release:
        return None
    effective = writing.how(release.manifests[wanted.index], held.options)
    if effective.server_side_diff is False:
        return None
    predicted = await applier.acting_as(held.options.run_as).predict(apply.Order(release, wanted.index, key, held.options))
    desired = releases.body(release, wanted.index, releases.values(release, key, there.unsealer))
    rule, outcome = rules.of(held.options, key), prediction.Outcome(desired, live, predicted)
    return await there.comparer.under(rule, lambda query: outcome.fields(rule, query, mutations=effective.include_mutation_webhook))
