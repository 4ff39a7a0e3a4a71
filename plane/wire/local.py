"""Manifests from somebody's disk instead of Git: what is sent."""

from typing import Annotated

import msgspec

from plane.wire import rest

MOST_FILES = 2000
MOST_BYTES = 4 * 1024 * 1024  # of all files together; far above any app, far below what hurts
Files = Annotated[dict[Annotated[str, msgspec.Meta(max_length=400)], bytes], msgspec.Meta(min_length=1, max_length=MOST_FILES)]


class LocalSync(rest.Sync, frozen=True, kw_only=True):
    """`files`: path below the app's own path → contents, base64. No `revision`: the files take its place."""

    files: Files


class LocalDiff(rest.Body, frozen=True, kw_only=True):
    """`files` as of a sync."""

    files: Files
    ignored: bool = False
