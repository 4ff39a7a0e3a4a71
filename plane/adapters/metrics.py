"""Figures for Prometheus."""

from collections.abc import Iterable

import prometheus_client as prometheus

from plane.domain.permitting import quotas as domain

CONTENT_TYPE = prometheus.CONTENT_TYPE_LATEST
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def quotas(tenant: str, uses: Iterable[domain.Use]) -> bytes:
    """A tenant's use of each quota, and the limits that it has."""
    registry, labels = prometheus.CollectorRegistry(), ("tenant", "quota")
    used = prometheus.Gauge("plane_quota_used", "How much of a quota is used.", labels, registry=registry)
    limit = prometheus.Gauge("plane_quota_limit", "The quota, where there is one.", labels, registry=registry)
    for use in uses:
        used.labels(tenant, use.quota).set(use.used)
        if use.limit is not None:
            limit.labels(tenant, use.quota).set(use.limit)
    return prometheus.generate_latest(registry)


class Requests:
    """How many requests of which kind, and how long they took. Labels are route templates, never paths: their number is bounded."""

    def __init__(self) -> None:
        self._registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self._registry)
        labels = ("method", "route", "status")
        self._seconds = prometheus.Histogram(
            "plane_request_seconds", "Time to answer a request.", labels, buckets=BUCKETS, registry=self._registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._seconds.labels(method, route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return prometheus.generate_latest(self._registry)
