"""Manifests from somebody's disk instead of Git: what is sent."""

from typing import Annotated

import msgspec

from plane.wire import rest

MOST_FILES = 2000
MOST_BYTES = 4 * 1024 * 1024  # of all files together; far above any app, far below what hurts
MOST_SOURCES = 20
Files = Annotated[dict[Annotated[str, msgspec.Meta(max_length=400)], bytes], msgspec.Meta(max_length=MOST_FILES)]
SourceFiles = Annotated[dict[Annotated[str, msgspec.Meta(max_length=63)], Files], msgspec.Meta(max_length=MOST_SOURCES)]


class LocalSync(rest.Sync, frozen=True, kw_only=True):
    """`files`: path below the app's own path → contents, base64. No `revision`: the files take its place.

    `sources`, for an app of several: position in `spec.sources`, from 1, or its `ref` → the same; the others stay Git's.
    """

    files: Files = msgspec.field(default_factory=dict)
    sources: SourceFiles = msgspec.field(default_factory=dict)


class LocalDiff(rest.Body, frozen=True, kw_only=True):
    """`files` and `sources` as of a sync."""

    files: Files = msgspec.field(default_factory=dict)
    sources: SourceFiles = msgspec.field(default_factory=dict)
    ignored: bool = False
