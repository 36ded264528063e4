"""What Amazon allows in a Discover.Response."""

import re
from typing import Final

#: https://developer.amazon.com/docs/device-apis/alexa-discovery.html
MAX_ENDPOINTS: Final = 300
MAX_CAPABILITIES: Final = 100

#: Endpoints that are looked at one by one; Alexa takes a tenth.
LOOKED_AT: Final = 10 * MAX_ENDPOINTS

#: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery-objects.html
MAX_NAME: Final = 128
ENDPOINT_ID: Final = re.compile(r"[A-Za-z0-9 _\-=#;:?@&]{1,256}")

#: Categories that Alexa or Home Assistant know.
#: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery-objects.html#display-categories
_CATEGORIES: Final = """
    ACTIVITY_TRIGGER AIR_CONDITIONER AIR_FRESHENER AIR_PURIFIER AUTO_ACCESSORY CAMERA
    CHRISTMAS_TREE COFFEE_MAKER COMPUTER CONTACT_SENSOR DOOR DOORBELL EXTERIOR_BLIND
    FAN GAME_CONSOLE GARAGE_DOOR HEADPHONES HUB INTERIOR_BLIND LAPTOP LIGHT MICROWAVE
    MOBILE_PHONE MOTION_SENSOR MUSIC_SYSTEM NETWORK_HARDWARE OTHER OVEN PHONE PRINTER
    REMOTE ROUTER SCENE_TRIGGER SCREEN SECURITY_PANEL SECURITY_SYSTEM SLOW_COOKER
    SMARTLOCK SMARTPLUG SPEAKER STREAMING_DEVICE SWITCH TABLET TEMPERATURE_SENSOR
    THERMOSTAT TV VACUUM_CLEANER WATER_HEATER WEARABLE
    """
CATEGORIES: Final = frozenset(_CATEGORIES.split())
