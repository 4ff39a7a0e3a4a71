"""argon2id as passwords are kept."""

import time

from plane.adapters.secrets import passwords

CHEAP = passwords.Argon2(memory_kib=64, rounds=1)


def test_a_password_is_kept_with_argon2id_and_a_salt_of_its_own() -> None:
    one, other = CHEAP.hashed("correct horse"), CHEAP.hashed("correct horse")
    assert one != other
    assert one.startswith("$argon2id$v=19$")
    assert CHEAP.matches(one, "correct horse")
    assert not CHEAP.matches(one, "correct horsf")


def test_what_is_no_hash_matches_nothing() -> None:
    assert not any(CHEAP.matches(hashed, "x") for hashed in ("", "x", "$argon2id$"))


def test_nobody_costs_as_much_as_somebody() -> None:
    """The fastest of several, so that a busy machine says nothing; half or double is far from the factor of a missing hash."""
    dear = passwords.Argon2(memory_kib=4096, rounds=4)
    somebody = dear.hashed("correct horse")

    def cost(hashed: str) -> float:
        found = []
        for _ in range(9):
            began = time.process_time_ns()
            dear.matches(hashed, "wrong")
            found.append(time.process_time_ns() - began)
        return min(found)

    assert 0.4 < cost("") / cost(somebody) < 2.5
