"""What one sync is told: refused by the request's own fields, laid over what the app says."""

import pytest

from plane.domain import errors
from plane.domain.planning import terms


@pytest.mark.parametrize(
    ("told", "field", "rule"),
    [
        (terms.Terms(resources=(":ConfigMap:web", "web")), "resources[1]", "'web' names no object; write group:kind:name"),
        (terms.Terms(labels="a b"), "labels", "'a b' is no condition; write key=value"),
        (terms.Terms(sync_options=("Prune=maybe",)), "syncOptions[0]", "says Prune=maybe; use Prune=true, Prune=false or Prune=confirm"),
        (terms.Terms(sync_options=("Prun=true",)), "syncOptions[0]", "Prun is no option that the plane knows; did you mean Prune?"),
        (terms.Terms(sync_options=("SSA=Merge",)), "syncOptions", "says Merge, which leaves what others wrote alone, beside Replace=true"),
        (terms.Terms(sync_options=("Prune=true", "Prune=false")), "syncOptions", "says both Prune=true and Prune=false"),
    ],
)
def test_what_was_typed_wrong_is_named_by_its_field(told: terms.Terms, field: str, rule: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        terms.check(told, ("Replace=true",))
    assert list(refused.value.problems) == [field]
    assert refused.value.problems[field].startswith(rule)


def test_what_a_sync_does_not_name_still_holds() -> None:
    assert terms.over(("Replace=true", "PruneLast=true"), ("Replace=false",)) == ("PruneLast=true", "Replace=false")


def test_nothing_told_chooses_everything() -> None:
    assert (terms.Terms().selective(), terms.chosen(terms.Terms(strategy="apply"))) == (False, None)
