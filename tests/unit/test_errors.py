"""The table of failures."""

import pytest

from ha_bridge.errors import STATUS_FAILURES, BridgeError, ErrorType, Failure


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        *((status, ErrorType.BRIDGE_UNREACHABLE) for status in (301, 302, 303, 307)),
        *((status, ErrorType.INTERNAL_ERROR) for status in (404, 405, 500)),
        (429, ErrorType.RATE_LIMIT_EXCEEDED),
        *((status, ErrorType.BRIDGE_UNREACHABLE) for status in (502, 503, 504)),
        *((status, ErrorType.BRIDGE_UNREACHABLE) for status in range(520, 531)),
    ],
)
def test_statuses_have_their_type(status: int, error_type: ErrorType) -> None:
    """As Alexa is promised."""
    assert STATUS_FAILURES[status].error_type is error_type


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
