"""A fresh age identity and its recipient: X25519 in Bech32, as `age-keygen` prints them (C2SP age.md, BIP 173)."""

import msgspec
from cryptography.hazmat.primitives.asymmetric import x25519

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


class Keys(msgspec.Struct, frozen=True):
    """`identity` opens what was encrypted to `recipient`."""

    identity: str
    recipient: str


def generate() -> Keys:
    """From the system's random source."""
    key = x25519.X25519PrivateKey.generate()
    identity = _bech32("age-secret-key-", key.private_bytes_raw()).upper()
    return Keys(identity, _bech32("age", key.public_key().public_bytes_raw()))


def _bech32(prefix: str, data: bytes) -> str:
    words = _in_fives(data)
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    check = _polymod(expanded + words + [0] * 6) ^ 1
    words += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(ALPHABET[word] for word in words)


def _in_fives(data: bytes) -> list[int]:
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return [int(bits[start : start + 5], 2) for start in range(0, len(bits), 5)]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(GENERATOR):
            check ^= generator if top >> place & 1 else 0
    return check
