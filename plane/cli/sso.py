"""Logging in where a token comes from somebody else: a browser of this machine, of another one, or what vouches for a CI job."""

import http.server
import os
import secrets
import threading
import time
import webbrowser
from collections.abc import Mapping
from typing import Any
from urllib import parse

import click

from plane.cli import client, failures, private
from plane.domain.granting import login

PATIENCE_S = 300.0
TURN_S = 1.0
SLOWER_S = 5
NOBODY = "nobody logged in within 5 minutes; try again, or use --device"
REFUSED = "the log-in was refused; try again, and ask the platform team to look at the log if it stays so"
CLOSE = b"<!doctype html><title>GitOps plane</title><p>You may close this window and go on in the terminal."


class Back(http.server.HTTPServer):
    """What the browser comes back to, on a free port of this machine, at a path that nobody else can guess."""

    timeout = TURN_S

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Once)
        self.path = f"/{secrets.token_urlsafe(16)}"
        self.code = ""
        self.refused = False

    def wait(self, seconds: float) -> str:
        """The code that it brought."""
        ends = time.monotonic() + seconds
        while not (self.code or self.refused) and time.monotonic() < ends:
            self.handle_request()
        if not self.code:
            raise failures.Failed(REFUSED if self.refused else NOBODY, code=failures.NOT_ALLOWED)
        return self.code


class _Once(http.server.BaseHTTPRequestHandler):
    server: Back
    timeout = TURN_S

    def do_GET(self) -> None:
        """The one request that counts; others, as for an icon or of another page, come to another path."""
        parts = parse.urlsplit(self.path)
        found = parse.parse_qs(parts.query) if parts.path == self.server.path else {}
        self.server.code = self.server.code or found.get("code", [""])[0]
        self.server.refused = self.server.refused or "error" in found
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
    with Back() as back:
        wish = {"back": f"http://127.0.0.1:{back.server_port}{back.path}", "challenge": login.challenge(verifier)}
        url = api.call("POST", f"/login/{provider}/begin", body=wish).body["url"]
        click.echo(f"Log in here, if no browser opens by itself: {failures.visible(url)}", err=True)
        if not has_browser(os.environ):
            click.echo("No browser of this machine can be opened, and another machine's cannot come back here; use --device.", err=True)
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # a browser in a terminal ends when it is closed
        code = back.wait(PATIENCE_S)
        return str(api.call("POST", "/login/end", body={"code": code, "verifier": verifier}).body["token"])


def has_browser(environment: Mapping[str, str]) -> bool:
    """Whether a browser would open before whoever sits at the terminal: not in a shell from afar, unless its screen comes along."""
    if "SSH_CONNECTION" in environment and not {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"} & environment.keys():
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def on_device(api: client.Client, provider: str) -> str:
    """A token, once somebody has typed a code in a browser of any machine."""
    begun = api.call("POST", f"/login/{provider}/device").body
    address, code = failures.visible(begun["verificationUri"]), failures.visible(begun["userCode"])
    click.echo(f"Open {address} on any machine and type {code}", err=True)
    ends, pause_s = time.monotonic() + begun["expiresIn"], begun["interval"]
    while time.monotonic() < ends:
        time.sleep(pause_s)
        said = api.call("POST", "/login/device", body={"handle": begun["handle"]}).body
        if said["token"]:
            return str(said["token"])
        pause_s = slower(pause_s, said)
    raise failures.Failed("nobody typed the code in time; begin again", code=failures.NOT_ALLOWED)


def slower(pause_s: int, said: client.Json) -> int:
    """How long to wait before asking again (RFC 8628, 3.5)."""
    return pause_s + SLOWER_S if said.get("slowDown") else pause_s


def vouched(api: client.Client, rule: str, file: str | None) -> str:
    """A short token for a machine, for the token of its own provider that the file holds."""
    theirs = private.read(file, prompt="The provider's token").strip()
    return str(api.call("POST", "/login/exchange", body={"rule": rule, "token": theirs}).body["token"])


def with_password(api: client.Client, name: str, file: str | None) -> str:
    """A token, for a local admin's password."""
    said = private.read(file, prompt="The password").rstrip("\r\n")
    return str(api.call("POST", "/login/local", body={"name": name, "password": said}).body["token"])
