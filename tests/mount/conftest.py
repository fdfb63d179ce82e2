"""Every mount test runs both ways: with the fast lane, and with pyfuse3 alone."""

import pytest

from tests import command


@pytest.fixture(autouse=True, params=["lane", "nolane"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The option of that way, which all helpers of tests.command pass on."""
    monkeypatch.setattr(command, "way", ("-o", request.param))
    return str(request.param)
