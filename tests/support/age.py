"""Documents encrypted to age keys by the sops program."""

import subprocess

from plane import config
from plane.run.demo import age

Key = age.Keys
new = age.generate


def encrypt(
    text: str, *recipients: str, options: tuple[str, ...] = ("--encrypted-regex=^(data|stringData)$",), name: str = "secret.yaml"
) -> bytes:
    """What a user commits: the file of that name encrypted to the recipients."""
    command = [config.program("sops"), "encrypt", f"--age={','.join(recipients)}", *options, f"--filename-override={name}"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True, env={"HOME": "/nonexistent"}, cwd="/").stdout
