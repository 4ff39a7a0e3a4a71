"""Keys that commits must be signed with: OpenPGP and SSH public keys, as people paste them; and what a look at a signature gives."""

import re
from typing import Annotated, Literal

import msgspec

MAX_KEY = 100_000
_SSH = re.compile(
    r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/=]+( .*)?"
)
BEGIN, END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"


# as GitHub's API says it, as far as it has a word; not_checked: the project names no key to check it with
Reason = Literal["valid", "unsigned", "unknown_key", "expired_key", "revoked_key", "unknown_signature_type", "invalid", "not_checked"]


class Checked(msgspec.Struct, frozen=True):
    """Whether one of certain keys signed a commit.

    `key`: whose signature it is, an OpenPGP fingerprint (or key id) or `SHA256:…`; `problem`: why it does not count, in words.
    """

    reason: Reason
    key: str = ""
    problem: str = ""


class Key(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`name` is for people; `public_key` an armoured OpenPGP block, or a line as in `id_ed25519.pub`."""

    public_key: Annotated[str, msgspec.Meta(max_length=MAX_KEY)]
    name: str = ""


def kind(text: str) -> Literal["pgp", "ssh", ""]:
    """Of which kind a public key is; empty for what is none."""
    said = text.strip()
    if said.startswith(BEGIN) and said.endswith(END):
        return "pgp"
    return "ssh" if "\n" not in said and _SSH.fullmatch(said) else ""


def unchecked(carried: str) -> Checked:
    """What is known of a commit where there is no key to check it with. `carried`: the kind of signature that it has."""
    return Checked("not_checked" if carried not in {"", "none"} else "unsigned")


def problems(keys: tuple[Key, ...]) -> dict[str, str]:
    """Broken rules by path."""
    rule = "must be an armoured OpenPGP public key block, or an SSH public key such as `ssh-ed25519 AAAA…`"
    return {f"signatureKeys[{n}].publicKey": rule for n, key in enumerate(keys) if not kind(key.public_key)}
