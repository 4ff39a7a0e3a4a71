"""What git's own words on stderr mean: one sentence for a person, and whether trying again may help."""

import base64
import re
import urllib.parse

from plane import ports
from plane.adapters.git import url as git_url
from plane.domain import errors

MAX_QUOTE = 300

_CREDENTIALS = "the credentials are missing, wrong or lack access; check the repository's credential"
_REFUSED: tuple[tuple[str, str], ...] = (
    (r"returned error: 30\d", "it redirects elsewhere, and redirects are never followed; write the final address as repoURL"),
    (
        r"Host key verification failed|No matching host key|HOST IDENTIFICATION HAS CHANGED",
        "its host key is not among the known hosts; add the right one to the repository",
    ),
    (r"could not read Username|Authentication failed|returned error: 40[13]|Permission denied|terminal prompts disabled", _CREDENTIALS),
    (r"error in libcrypto|invalid format|Load key", "the SSH private key cannot be read; give an unencrypted OpenSSH or PEM key"),
    (
        r"not found|returned error: 404|does not appear to be a git repository|not valid: is this a git repository",
        "there is no such repository, or the credential may not see it",
    ),
    (r"[Cc]ertificate|SSL peer|CAfile|self.signed", "its TLS certificate is not trusted; give the repository the right CA"),
    (
        r"fsck error|index-pack|unpack-objects|bad object|fatal: early EOF.*fsck|object file is empty",
        "it sends objects that fail git's own integrity check",
    ),
)

_FULL = re.compile(r"^(?!remote:).*(No space left on device|Disk quota exceeded)", re.MULTILINE)  # ours, not the server's


def redact(text: str, auth: ports.GitAuth) -> str:
    """The text without the credential, however git or curl may have encoded it."""
    for secret in (auth.password, auth.ssh_key):
        if secret is not None and (value := secret.reveal().decode(errors="replace").strip()):
            pair = base64.b64encode(f"{auth.username}:{value}".encode()).decode()
            for form in (value, urllib.parse.quote(value), urllib.parse.quote(value, safe=""), pair):
                text = text.replace(form, "***")
    return re.sub(r"(://)[^/@\s]+@", r"\1***@", text)


def explain(stderr: str, address: git_url.Address) -> errors.PlaneError:
    """The error for a failed transfer; `stderr` is redacted already."""
    full = _FULL.search(stderr)
    if full:  # index-pack names it and then says that it failed, as it does for objects that are broken
        return errors.BackendDown("git", f"the mirror of {address} cannot be written: {full[1]}; make room in the state folder")
    for pattern, sentence in _REFUSED:
        if re.search(pattern, stderr):
            return errors.SourceRefused(f"{address}: {sentence}")
    return errors.BackendDown("git", f"{address} cannot be reached: {_last_line(stderr)}")


def _last_line(stderr: str) -> str:
    lines = [line.strip() for line in re.sub(r"[^\n -~]", " ", stderr).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))] or lines or ["git gave no reason"]
    return re.sub(r"^(fatal|error): ", "", told[0])[:MAX_QUOTE]
