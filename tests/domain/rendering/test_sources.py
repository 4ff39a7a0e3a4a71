"""A push makes due what it can touch and nothing else."""

import pytest

from plane.domain.rendering import sources


@pytest.mark.parametrize(
    ("roots", "changed", "expected"),
    [
        (["apps/web"], ["apps/web/deployment.yaml"], True),
        (["apps/web"], ["apps/web/base/deployment.yaml"], True),
        (["apps/web"], ["apps/website/deployment.yaml"], False),
        (["apps/web"], ["apps"], False),
        (["apps/web/values.yaml"], ["apps/web/values.yaml"], True),
        (["."], ["README.md"], True),
        ([], ["README.md"], False),
        (["apps/web", "base"], ["base/service.yaml"], True),
    ],
)
def test_a_change_touches_roots_it_is_or_lies_below(roots: list[str], changed: list[str], *, expected: bool) -> None:
    assert sources.touches(roots, frozenset(changed)) is expected


@pytest.mark.parametrize(
    ("revision", "sha"), [("HEAD", "1"), ("main", "1"), ("v1", "3"), ("refs/heads/main", "1"), ("dev", ""), ("abcdef0", "")]
)
def test_a_revision_is_what_the_remote_says(revision: str, sha: str) -> None:
    refs = {"HEAD": "1", "refs/heads/main": "1", "refs/tags/v1": "2", "refs/tags/v1^{}": "3"}
    assert sources.commit_of(refs, revision) == sha
