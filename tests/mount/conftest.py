"""Every mount test runs both ways: with the fast lane, and with pyfuse3 alone."""

import pytest

from tests import command

# Views of an image that only differ in names and attributes, which both ways take from one place:
# tests/unit/test_lane_differential.py compares all of their replies.
_ONE_WAY = (":iso9660.norock]", ":iso9660.plain]")


@pytest.fixture(autouse=True, params=["lane", "nolane"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The option of that way, which all helpers of tests.command pass on."""
    monkeypatch.setattr(command, "way", ("-o", request.param))
    return str(request.param)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Some views are mounted with the lane alone: mounts are what takes the time."""
    left_out = [item for item in items if "[nolane-" in item.name and item.name.endswith(_ONE_WAY)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
