"""Something that one controls: buttons, a slider or a color; and its directives."""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

from ha_bridge_ops.endpoints.capabilities import number
from ha_bridge_ops.endpoints.orders import Order


@dataclass(frozen=True)
class Choice:
    """One of the things that can be told, such as On."""

    value: str
    label: str
    order: Order


@dataclass(frozen=True)
class Scale:
    """Numbers that can be told.

    Args:
        unit: Shown behind the number, such as %.
        order: Makes the directive of a number.
    """

    minimum: float
    maximum: float
    step: float
    unit: str
    order: Callable[[float], Order]


@dataclass(frozen=True)
class Control:
    """Something that one controls: a row of buttons, a slider or a colour.

    Args:
        id: Interface, and instance behind a slash.
        shows: Name of the property that holds its state; empty if there is none.
    """

    id: str
    label: str
    shows: str = ""
    choices: tuple[Choice, ...] = ()
    scale: Scale | None = None
    is_color: bool = False

    @property
    def kind(self) -> str:
        """How it looks: color, scale or choices."""
        return "color" if self.is_color else "scale" if self.scale else "choices"

    def order(self, value: object) -> Order:
        """Return the directive for a value.

        Raises:
            ValueError: There is no such value; the message is a sentence.
        """
        if self.is_color:
            return _color_order(value)
        if self.scale is not None:
            return _scale_order(self.scale, value)
        for one in self.choices:
            if one.value == value:
                return one.order
        raise ValueError(f"“{self.label}” has no such choice.")


def _scale_order(scale: Scale, value: object) -> Order:
    wanted = number(value)
    if wanted is None:
        raise ValueError("A number is needed.")
    if not scale.minimum <= wanted <= scale.maximum:
        limits = f"{scale.minimum:g} to {scale.maximum:g} {scale.unit}".rstrip()
        raise ValueError(f"It goes from {limits}.")
    return scale.order(float(wanted))


def _color_order(value: object) -> Order:
    text = value.removeprefix("#") if isinstance(value, str) else ""
    try:
        red, green, blue = bytes.fromhex(text)
    except ValueError:
        raise ValueError("A colour looks like #ff8800.") from None
    return color(*colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255))


def color(hue: float, saturation: float, brightness: float) -> Order:
    """Return a SetColor; all three from 0 to 1."""
    value = {
        "hue": round(hue * 360, 1),
        "saturation": round(saturation, 3),
        "brightness": round(brightness, 3),
    }
    return Order("Alexa.ColorController", "SetColor", {"color": value})
