"""What rules may know of an app's sources."""

import pytest

from plane.domain import apps
from plane.domain.rendering import reached


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ('{{ (lookup "v1" "Secret" "shop" "web").data }}', {"lookup"}),
        ('{{- $ip := getHostByName "db.example" -}}', {"getHostByName"}),
        ("{{/* no lookup here */}}{{- /* nor lookup here */ -}}", set()),
        ('{{ printf "lookup" }}{{ .Values.lookup }}{{ $lookup }}{{ lookups . }}', set()),
        ("lookup: outside of any action", set()),
        ("{{ `lookup` }}", set()),
    ],
)
def test_functions_whose_answers_lie_outside_the_chart_are_seen(text: str, called: set[str]) -> None:
    assert reached.functions({"web/templates/a.yaml": text.encode()}) == called


def test_what_is_no_template_calls_nothing() -> None:
    assert reached.functions({"web/values.yaml": b"{{ lookup }}"}) == frozenset()


@pytest.mark.parametrize(("text", "name"), [(b"apiVersion: v2\nname: web\n", "web"), (b"name: 'web.one'\n", "web.one"), (b"{", "")])
def test_a_chart_has_the_name_that_its_file_says(text: bytes, name: str) -> None:
    assert reached.chart(apps.Source("https://git.example/shop", path="./charts/web"), {"charts/web/Chart.yaml": text}) == name
