"""What every part of the acting agent stands on."""

from collections.abc import Callable

import msgspec

from plane.adapters.cluster import kube, kube_kinds
from plane.agent.kept import book, releases, rules
from plane.agent.watching import custom, waits, watch


class Cluster(msgspec.Struct, frozen=True):
    """The cluster as the agent knows it: how to speak to it, what it serves, what is in it, and what should be."""

    api: kube.Api
    kinds: kube_kinds.Kinds
    watches: watch.Watches
    waits: waits.Waits
    book: book.Book
    unsealer: releases.Unsealer
    comparer: rules.Comparer
    custom: custom.Custom
    now: Callable[[], float]  # Unix seconds by the plane's clock
