"""The home of the tests has its place in tests/worlds; this name still leads there."""

from tests.worlds.home import *  # noqa: F403 - just that
