"""The table of failures."""

import pytest

from ha_bridge.errors import BridgeError, ErrorType, Failure
from tests.oracle import ERROR_TYPES


def test_the_types_are_amazons() -> None:
    """Spelt as Alexa knows them; see tests/oracle.py."""
    assert {str(kind) for kind in ErrorType} == ERROR_TYPES
    for kind in ErrorType:
        assert kind.name == kind.value


@pytest.mark.parametrize("failure", Failure)
def test_every_row_says_cause_and_fix(failure: Failure) -> None:
    """Cause without a full stop, for a detail may follow; fix as a sentence."""
    assert failure.cause[0].isupper()
    assert not failure.cause.endswith(".")
    assert failure.fix.endswith(".")
    error = BridgeError(failure, "detail", status=500)
    assert str(error) == f"{failure.cause} (detail). {failure.fix}"


def test_a_firewall_never_unlinks_a_user() -> None:
    """Amazon may drop the account link on INVALID_AUTHORIZATION_CREDENTIAL."""
    assert Failure.FIREWALL.error_type is ErrorType.BRIDGE_UNREACHABLE
