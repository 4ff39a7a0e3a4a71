"""Figures for Prometheus."""

import prometheus_client as prometheus

CONTENT_TYPE = prometheus.CONTENT_TYPE_LATEST
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


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
