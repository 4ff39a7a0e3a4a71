"""Documents encrypted to age keys by the sops program."""

import subprocess

from plane import config
from plane.run.demo import age

Key = age.Keys
new = age.generate


def encrypt(text: str, *recipients: str, options: tuple[str, ...] = ("--encrypted-regex=^(data|stringData)$",)) -> bytes:
    """What a user commits: the YAML encrypted to the recipients."""
    command = [config.program("sops"), "encrypt", f"--age={','.join(recipients)}", *options, "--filename-override=secret.yaml"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True, env={"HOME": "/nonexistent"}, cwd="/").stdout
