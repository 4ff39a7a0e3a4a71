"""What an app and its objects say without effect, each with the way out: warnings that stop nothing."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from plane.domain import annotations, apps, objects, options

_MARK = b"-options"  # of sync-options and compare-options: what lacks it needs no reading


def of_app(spec: apps.AppSpec) -> tuple[str, ...]:
    """About the app itself."""
    words, wanted = spec.sync_policy.sync_options, spec.sync_policy.managed_namespace_metadata
    found = options.app_warnings(words)
    creates = any(pair == ("CreateNamespace", "true") for word in words for pair in annotations.pairs(word))
    if creates and not spec.destination.namespace:
        found = (*found, f"{options.APP_PATH}: CreateNamespace has no effect without spec.destination.namespace; name one there")
    if not creates and (wanted.labels or wanted.annotations):
        way = f"has no effect without CreateNamespace=true; add it to {options.APP_PATH}"
        found = (*found, f"spec.syncPolicy.managedNamespaceMetadata: {way}")
    return found


def of_documents(documents: Iterable[bytes]) -> Iterator[str]:
    """About a release's objects, as they come."""
    for document in documents:
        if _MARK in document:
            body: dict[str, Any] = msgspec.json.decode(document)
            yield from options.warnings(objects.Manifest(objects.key_of(body), str(body["apiVersion"]), body))
