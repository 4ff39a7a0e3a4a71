"""Cursors, filters, versions and bodies that nobody gave out: a refusal or an empty page on every endpoint, never a failure of ours.

Every endpoint gets some of the odd words and every word goes to some endpoints; `benchmarks.fuzz` tries many more.
"""

import base64
import itertools
from collections.abc import Iterable, Sequence

import httpx
import msgspec

from plane.api import app
from tests.api.test_tenancy import ID, fill
from tests.support.rest import V1, Api, Tenant

FOUND = msgspec.json.decode(app.description())["paths"]
STREAMS = ("/audit/events", "/logs", "/events")  # no answer ends them
ITEMS = [(path.removeprefix(V1), item) for path, item in FOUND.items()]
GETS = [(path, item["get"].get("parameters", ())) for path, item in ITEMS if "get" in item and not path.endswith(STREAMS)]
PAGES = [path for path, parameters in GETS if any(one["name"] == "cursor" for one in parameters)]
QUERIES = [(path, one["name"]) for path, asked in GETS for one in asked if one["in"] == "query"]
WRITES = [(verb.upper(), path) for path, item in ITEMS for verb in item if verb != "get" and path != "/logout"]
CURSORS = [
    *("abc", "\0", "é", "", "-1", "9" * 40, ID, f"{ID}x", "{}", "[]", "null", "a/b/c", "%", "' or 1=1 --", "\ud800"),
    "2026-01-01T00:00:00Z",
]
WORDS = [
    *("%00", "%F0%9F%92%A9", "' or 1=1 --", "9" * 40, "-1", "null", "../..", "a" * 300, "é", "1e309", "2026-99-99T99:99:99Z", "true", "*"),
    *("%ED%A0%80", "a=b&a=c", "%5B%5D", "0", "NaN"),
]
VERSIONS = ['"99999999999999999999"', "x", '"-1"', '"1", "2"', 'W/"x"', '"9223372036854775808"', '"999999999999999999"']
BODIES = [
    *(b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff", b'{"a":' * 3000, b"[" * 100_000, b"\xef\xbb\xbf{}", b'{"x":"\\ud800"}'),
    *(b'{"spec":null,"metadata":null}', b'{"a":1,"a":2}', b'{"spec":1e400}', b'{"metadata":{"name":"\\u0000"}}'),
    b'{"metadata":{"name":"a","labels":{"a":{}}},"spec":[]}',
]
TYPES = ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16"]


def caller(path: str, platform: Api, acme: Tenant) -> Api:
    return acme.api if "{tenant}/" in path else platform


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


def broken(answers: Iterable[tuple[Sequence[object], httpx.Response]]) -> list[tuple[object, ...]]:
    """Requests that the plane failed at; what is away, such as an agent, is said with the time to try again."""
    return [(*what, one.status_code) for what, one in answers if one.status_code >= 500 and "Retry-After" not in one.headers]


def test_a_cursor_that_nobody_gave_opens_nothing_and_breaks_nothing(platform: Api, acme: Tenant) -> None:
    asked = zip(PAGES * 2, itertools.cycle(CURSORS), strict=False)
    pages = (((path, text), caller(path, platform, acme).get(f"{fill(path, 'acme', 'ada')}?cursor={cursor(text)}")) for path, text in asked)
    assert broken(pages) == []


def test_a_filter_that_means_nothing_breaks_nothing(platform: Api, acme: Tenant) -> None:
    answers = []
    for (path, name), text in zip(QUERIES, itertools.cycle(WORDS), strict=False):
        target = fill(path, "acme", "ada")
        answers.append(((path, name, text), caller(path, platform, acme).get(f"{target}{'&' if '?' in target else '?'}{name}={text}")))
    assert broken(answers) == []


def test_a_version_that_nobody_gave_is_refused(platform: Api, acme: Tenant) -> None:
    asked = zip(WRITES, itertools.cycle(VERSIONS), strict=False)
    answers = [
        ((verb, path, version), caller(path, platform, acme).call(verb, fill(path, "acme", "none"), {}, If_Match=version))
        for (verb, path), version in asked
    ]
    assert broken(answers) == []
    assert [what for what, answer in answers if answer.is_success] == []


def test_a_body_that_is_none_breaks_nothing(platform: Api, acme: Tenant) -> None:
    answers = []
    for (verb, path), body, type_ in zip(WRITES * 2, itertools.cycle(BODIES), itertools.cycle(TYPES), strict=False):
        who = caller(path, platform, acme)
        headers = {"Authorization": f"Bearer {who.token}", "Content-Type": type_ if body in BODIES[::3] else TYPES[0]}
        answer = who.client.request(verb, f"{V1}{fill(path, 'acme', 'none')}", headers=headers, content=body)
        answers.append(((verb, path, body[:20], headers["Content-Type"]), answer))
    assert broken(answers) == []
