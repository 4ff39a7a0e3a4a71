"""argon2id, a few at a time: each takes 64 MiB, so that a flood of log-ins must wait, not fill the memory."""

import threading

import argon2

SIDE_BY_SIDE = 2
LANES = 4
NOBODYS = f"${'A' * 22}${'A' * 43}"  # salt and hash as long as those of somebody: written down, not computed at every start of a process


class Argon2:
    """Fills ports.Passwords, with the second choice of RFC 9106, 4. `memory_kib`, `rounds`: less for tests alone."""

    def __init__(self, *, memory_kib: int = 64 * 1024, rounds: int = 3) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=LANES, type=argon2.Type.ID)
        self._turns = threading.BoundedSemaphore(SIDE_BY_SIDE)
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={rounds},p={LANES}{NOBODYS}"

    def hashed(self, password: str) -> str:
        with self._turns:
            return self._hasher.hash(password)

    def matches(self, hashed: str, password: str) -> bool:
        """Nobody's hash costs as much as somebody's."""
        with self._turns:
            try:
                return self._hasher.verify(hashed or self._nobodys, password) and bool(hashed)
            except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
                return False
