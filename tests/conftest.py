"""The real things that tests stand on; where each comes from is told in its module."""

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.support.garbage",
    "tests.support.database",
    "tests.support.fixtures",
    "tests.support.vault",
    "tests.support.planes",
    "tests.support.rest",
    "tests.support.identity",
    "tests.support.order",
    "tests.support.shuffle",
]

# How long an example takes says how busy the machine is: no test fails for it. A change is judged by the same examples each time, so that
# what fails is the change's own; `make test ARGS=--hypothesis-profile=hunt` draws new ones.
settings.register_profile("plane", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("hunt", settings.get_profile("plane"), derandomize=False)
settings.load_profile("plane")
