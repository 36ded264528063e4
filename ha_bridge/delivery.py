"""The rule of delivery: a command reaches the home at most once, and never late.

What is known of an attempt that failed decides whether the directive may go again:

    what is known                             what only asks  what acts
    ----------------------------------------  --------------  --------------------------
    UNSENT    resolving, connecting, TLS      again           again
    UNREAD    lost, no byte acknowledged      again           again
    VANISHED  nothing acknowledged for 1.5 s  again           again if it names a state,
              on a kept connection                            else left to TCP
    READ      acknowledged, then lost         once again      never
    SILENT    acknowledged, no answer yet     again, beside   waited for
                                              the first

What is given up is aborted, so that nothing of it arrives after its answer; see
`connection`, which also knows what has been acknowledged.
"""

from enum import StrEnum, auto
from typing import Final

#: Seconds without any acknowledgment after which the path of a kept connection has
#: vanished: the router forgot it, or the home's address moved.
VANISHED_AFTER_S: Final = 1.5

#: Seconds of silence after which what only asks is asked a second time: something on
#: the way may acknowledge for a home that is gone.
PATIENCE_S: Final = 2.0


class Kind(StrEnum):
    """What a directive does."""

    ASKS = auto()
    """It changes nothing."""
    NAMES_STATE = auto()
    """It names the state to reach, and opens nothing: twice is as good as once."""
    ACTS = auto()
    """It steps, starts or may open something; and all that is not known."""


class Fate(StrEnum):
    """What is known of an attempt; the rows of the rule."""

    UNSENT = auto()
    UNREAD = auto()
    VANISHED = auto()
    READ = auto()
    SILENT = auto()


#: The rule itself: the kinds that may go again.
_GOES_AGAIN: Final = {
    Fate.UNSENT: frozenset(Kind),
    Fate.UNREAD: frozenset(Kind),
    Fate.VANISHED: frozenset({Kind.ASKS, Kind.NAMES_STATE}),
    Fate.READ: frozenset({Kind.ASKS}),
    Fate.SILENT: frozenset({Kind.ASKS}),
}

#: Namespace and name of the directives that do not simply act.  Left out on purpose:
#: what steps (Adjust, Skip, Next) or starts (Activate, a camera's session: all of
#: Alexa.RTCSessionController); what opens (Unlock, Disarm);
#: and what may, for Home Assistant opens gates, garages and covers by SetMode,
#: SetRangeValue and SetPercentage.
_KINDS: Final = {
    ("Alexa", "ReportState"): Kind.ASKS,
    ("Alexa.Discovery", "Discover"): Kind.ASKS,
    **dict.fromkeys(
        (
            ("Alexa.BrightnessController", "SetBrightness"),
            ("Alexa.ColorController", "SetColor"),
            ("Alexa.ColorTemperatureController", "SetColorTemperature"),
            ("Alexa.EqualizerController", "SetMode"),
            ("Alexa.InputController", "SelectInput"),
            ("Alexa.LockController", "Lock"),
            ("Alexa.PlaybackController", "Pause"),
            ("Alexa.PlaybackController", "Play"),
            ("Alexa.PlaybackController", "Stop"),
            ("Alexa.PowerController", "TurnOff"),
            ("Alexa.PowerController", "TurnOn"),
            ("Alexa.PowerLevelController", "SetPowerLevel"),
            ("Alexa.SceneController", "Deactivate"),
            ("Alexa.SecurityPanelController", "Arm"),
            ("Alexa.Speaker", "SetMute"),
            ("Alexa.Speaker", "SetVolume"),
            ("Alexa.StepSpeaker", "SetMute"),
            ("Alexa.ThermostatController", "SetTargetTemperature"),
            ("Alexa.ThermostatController", "SetThermostatMode"),
        ),
        Kind.NAMES_STATE,
    ),
}


def kind_of(namespace: str, name: str) -> Kind:
    """Return what a directive does."""
    return _KINDS.get((namespace, name), Kind.ACTS)


def may_go_again(kind: Kind, fate: Fate) -> bool:
    """Return whether a directive may be sent once more."""
    return kind in _GOES_AGAIN[fate]
