"""How property tests run: the same examples on every machine, and no deadline, since machines differ."""

from hypothesis import HealthCheck, settings


def examples(count: int) -> settings:
    """Settings for a property that is tried with so many examples."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
