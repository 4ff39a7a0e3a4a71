"""Logging in where a token comes from somebody else: a browser of this machine, of another one, or what vouches for a CI job."""

import http.server
import secrets
import threading
import time
import webbrowser
from typing import Any
from urllib import parse

import click

from plane.cli import client, failures, private
from plane.domain.granting import login

PATIENCE_S = 300.0
TURN_S = 1.0
CLOSE = b"<!doctype html><title>GitOps plane</title><p>You may close this window and go on in the terminal."


class _Back(http.server.HTTPServer):
    """What the browser comes back to, on a free port of this machine."""

    code = ""
    timeout = TURN_S


class _Once(http.server.BaseHTTPRequestHandler):
    server: _Back
    timeout = TURN_S

    def do_GET(self) -> None:
        """The one request; others, as for an icon, hold no code."""
        found = parse.parse_qs(parse.urlsplit(self.path).query).get("code", [""])[0]
        self.server.code = self.server.code or found
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.end_headers()
        self.wfile.write(CLOSE if found else b"")

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as the library has it
        """Say nothing on the terminal."""


def in_browser(api: client.Client, provider: str) -> str:
    """A token, once somebody has logged in in a browser of this machine."""
    verifier = secrets.token_urlsafe(32)
    with _Back(("127.0.0.1", 0), _Once) as back:
        wish = {"back": f"http://127.0.0.1:{back.server_port}/", "challenge": login.challenge(verifier)}
        url = api.call("POST", f"/login/{provider}/begin", body=wish).body["url"]
        click.echo(f"Log in here, if no browser opens by itself: {failures.visible(url)}", err=True)
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # a browser in a terminal ends when it is closed
        ends = time.monotonic() + PATIENCE_S
        while not back.code and time.monotonic() < ends:
            back.handle_request()
        if not back.code:
            raise failures.Failed("nobody logged in within 5 minutes; try again, or use --device", code=failures.NOT_ALLOWED)
        return str(api.call("POST", "/login/end", body={"code": back.code, "verifier": verifier}).body["token"])


def on_device(api: client.Client, provider: str) -> str:
    """A token, once somebody has typed a code in a browser of any machine."""
    begun = api.call("POST", f"/login/{provider}/device").body
    address, code = failures.visible(begun["verificationUri"]), failures.visible(begun["userCode"])
    click.echo(f"Open {address} on any machine and type {code}", err=True)
    ends = time.monotonic() + begun["expiresIn"]
    while time.monotonic() < ends:
        time.sleep(begun["interval"])
        found = api.call("POST", "/login/device", body={"handle": begun["handle"]}).body["token"]
        if found:
            return str(found)
    raise failures.Failed("nobody typed the code in time; try again", code=failures.NOT_ALLOWED)


def vouched(api: client.Client, rule: str, file: str | None) -> str:
    """A short token for a machine, for the token of its own provider that the file holds."""
    theirs = private.read(file, prompt="The provider's token").strip()
    return str(api.call("POST", "/login/exchange", body={"rule": rule, "token": theirs}).body["token"])


def with_password(api: client.Client, name: str, file: str | None) -> str:
    """A token, for a local admin's password."""
    said = private.read(file, prompt="The password").rstrip("\r\n")
    return str(api.call("POST", "/login/local", body={"name": name, "password": said}).body["token"])
