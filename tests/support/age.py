"""age key pairs as `age-keygen` makes them, and documents encrypted to them by the sops program."""

import subprocess

import msgspec
from cryptography.hazmat.primitives.asymmetric import x25519

from plane import config

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


class Key(msgspec.Struct, frozen=True):
    """`identity` is the private half."""

    identity: str
    recipient: str


def new() -> Key:
    """A fresh pair."""
    private = x25519.X25519PrivateKey.generate()
    identity = bech32("age-secret-key-", private.private_bytes_raw()).upper()
    return Key(identity, bech32("age", private.public_key().public_bytes_raw()))


def bech32(prefix: str, value: bytes) -> str:
    """BIP 173, without its bound on length."""
    bits = int.from_bytes(value, "big") << (-len(value) * 8 % 5)
    words = [bits >> at & 31 for at in range((len(value) * 8 + 4) // 5 * 5 - 5, -1, -5)]
    head = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    check = _polymod([*head, *words, 0, 0, 0, 0, 0, 0]) ^ 1
    words += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{prefix}1{''.join(ALPHABET[word] for word in words)}"


def encrypt(text: str, *recipients: str, options: tuple[str, ...] = ("--encrypted-regex=^(data|stringData)$",)) -> bytes:
    """What a user commits: the YAML encrypted to the recipients."""
    command = [config.program("sops"), "encrypt", f"--age={','.join(recipients)}", *options, "--filename-override=secret.yaml"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True, env={"HOME": "/nonexistent"}, cwd="/").stdout


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at, word in enumerate(GENERATOR):
            check ^= word if top >> at & 1 else 0
    return check
