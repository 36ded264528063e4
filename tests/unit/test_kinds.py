"""What each directive does, written out: all that Home Assistant handles.

https://developer.amazon.com/en-US/docs/alexa/device-apis/list-of-interfaces.html
"""

import pytest

from ha_bridge.delivery import Fate, Kind, kind_of, may_go_again

ASKS = """
Alexa ReportState
Alexa.Discovery Discover
"""

#: To reach it twice is to reach it once; and nothing is opened by it.
NAMES_STATE = """
Alexa.BrightnessController SetBrightness
Alexa.ColorController SetColor
Alexa.ColorTemperatureController SetColorTemperature
Alexa.EqualizerController SetMode
Alexa.InputController SelectInput
Alexa.LockController Lock
Alexa.PlaybackController Pause
Alexa.PlaybackController Play
Alexa.PlaybackController Stop
Alexa.PowerController TurnOff
Alexa.PowerController TurnOn
Alexa.PowerLevelController SetPowerLevel
Alexa.SceneController Deactivate
Alexa.SecurityPanelController Arm
Alexa.Speaker SetMute
Alexa.Speaker SetVolume
Alexa.StepSpeaker SetMute
Alexa.ThermostatController SetTargetTemperature
Alexa.ThermostatController SetThermostatMode
"""

#: It steps, starts, opens or may open; or nobody here knows what it does.
ACTS = """
Alexa.Authorization AcceptGrant
Alexa.BrightnessController AdjustBrightness
Alexa.CameraStreamController InitializeCameraStreams
Alexa.ChannelController ChangeChannel
Alexa.ChannelController SkipChannels
Alexa.ColorTemperatureController DecreaseColorTemperature
Alexa.ColorTemperatureController IncreaseColorTemperature
Alexa.EqualizerController AdjustBands
Alexa.EqualizerController ResetBands
Alexa.EqualizerController SetBands
Alexa.LockController Unlock
Alexa.ModeController AdjustMode
Alexa.ModeController SetMode
Alexa.PercentageController AdjustPercentage
Alexa.PercentageController SetPercentage
Alexa.PlaybackController FastForward
Alexa.PlaybackController Next
Alexa.PlaybackController Previous
Alexa.PlaybackController Rewind
Alexa.PlaybackController StartOver
Alexa.PowerLevelController AdjustPowerLevel
Alexa.RangeController AdjustRangeValue
Alexa.RangeController SetRangeValue
Alexa.SceneController Activate
Alexa.SecurityPanelController Disarm
Alexa.SeekController AdjustSeekPosition
Alexa.Speaker AdjustVolume
Alexa.StepSpeaker AdjustVolume
Alexa.ThermostatController AdjustTargetTemperature
Alexa.ThermostatController ResumeSchedule
Alexa.TimeHoldController Hold
Alexa.TimeHoldController Resume
Alexa.PowerController Fire
Alexa.PowerController turnon
Alexa.Fireplace TurnOn
Vendor.Launcher TurnOn
Vendor.Launcher ReportState
Alexa Discover
Alexa.PowerController ReportState
"""

KINDS = [
    (kind, *line.split())
    for kind, lines in (
        (Kind.ASKS, ASKS),
        (Kind.NAMES_STATE, NAMES_STATE),
        (Kind.ACTS, ACTS),
    )
    for line in lines.strip().splitlines()
]


@pytest.mark.parametrize(("kind", "namespace", "name"), KINDS)
def test_what_a_directive_does(kind: Kind, namespace: str, name: str) -> None:
    """Its namespace counts as well: SetMode of a garage opens it."""
    assert kind_of(namespace, name) is kind


@pytest.mark.parametrize(
    ("fate", "kinds"),
    [
        (Fate.UNSENT, "ASKS NAMES_STATE ACTS"),
        (Fate.UNREAD, "ASKS NAMES_STATE ACTS"),
        (Fate.VANISHED, "ASKS NAMES_STATE"),
        (Fate.READ, "ASKS"),
        (Fate.SILENT, "ASKS"),
    ],
    ids=lambda value: value.name if isinstance(value, Fate) else value,
)
def test_what_may_go_again(fate: Fate, kinds: str) -> None:
    """The rule of delivery, row by row."""
    assert {kind for kind in Kind if may_go_again(kind, fate)} == {
        Kind[name] for name in kinds.split()
    }
