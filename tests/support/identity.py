"""A real identity provider of this process: the certified `oidc-provider`, its accounts, and a browser that logs in there."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib import parse

import httpx
import msgspec
import pytest

from plane import config

PLANE = "https://plane.example"
CALLBACK = f"{PLANE}/api/v1/login/house/callback"
OF_TENANT = f"{PLANE}/api/v1/login/acme.okta/callback"
ACCOUNTS = {
    "ana": {"preferred_username": "ana", "groups": ["team-a", "staff"], "email": "ana@acme.example"},
    "cleo": {"preferred_username": "cleo", "groups": ["team-a"]},
    "bo": {"preferred_username": "admin", "groups": []},
}
CLIENTS = [
    {
        "client_id": "plane",
        "token_endpoint_auth_method": "none",
        "redirect_uris": [CALLBACK, OF_TENANT],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    },
    {
        "client_id": "desk",
        "application_type": "native",  # its address may have any port of one's own machine
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://127.0.0.1/api/v1/login/house/callback"],
        "grant_types": ["authorization_code"],
    },
    {
        "client_id": "closed",
        "client_secret": "only-the-plane-knows",
        "token_endpoint_auth_method": "client_secret_post",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"],
    },
]


class Provider(msgspec.Struct, frozen=True):
    """One that runs."""

    issuer: str

    def change(self, account: str, claims: dict[str, Any] | None) -> None:
        """What the provider says of somebody from now on; None: there is nobody of this name any more."""
        httpx.post(f"{self.issuer}/accounts", json={account: claims}).raise_for_status()

    def sign(self, claims: dict[str, Any], **header: str) -> str:
        """A token of the provider's own key."""
        return httpx.post(f"{self.issuer}/sign", json={"claims": claims, "header": header}).text


class Browser:
    """Somebody at a browser, whose log-in at the provider takes no typing; without a name they refuse."""

    def __init__(self, who: str) -> None:
        self._http = httpx.Client(headers={"X-User": who} if who else {}, trust_env=False)

    def follow(self, url: str) -> str:
        """The first address that is not the provider's own."""
        issuer = parse.urlsplit(url).netloc
        while parse.urlsplit(url).netloc == issuer:
            answer = self._http.get(url)
            assert answer.is_redirect, answer.text
            url = parse.urljoin(url, answer.headers["Location"])
        return url

    def type_code(self, url: str, *, answer: str = "confirm") -> None:
        """Confirm a device's code, and log in; or `abort`."""
        page = self._http.get(url)
        for _ in range(10):
            if page.is_redirect:
                page = self._http.get(parse.urljoin(str(page.url), page.headers["Location"]))
                continue
            form = dict(re.findall(r'name="(xsrf|user_code)" value="([^"]*)"', page.text))
            action = re.search(r'action="([^"]*)"', page.text)
            if not form or not action:
                return
            page = self._http.post(parse.urljoin(str(page.url), action[1]), data={**form, answer: "yes"})

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """One per worker; it ends with its standard input."""
    asked = json.dumps({"accounts": ACCOUNTS, "clients": CLIENTS})
    with subprocess.Popen(
        [config.program("oidc-provider"), asked], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout
        yield Provider(json.loads(child.stdout.readline())["issuer"])
        child.terminate()
