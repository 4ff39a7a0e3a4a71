"""The real things that tests stand on; where each comes from is told in its module."""

pytest_plugins = ["tests.support.database", "tests.support.fixtures", "tests.support.vault", "tests.support.planes", "tests.support.rest"]
