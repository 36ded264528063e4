"""`ha-bridge page`: the home as Alexa sees it, in a browser on this machine."""
