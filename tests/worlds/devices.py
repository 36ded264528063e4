"""A device with a bit of everything, and what is said of it."""

from typing import Any

NAMES = {
    "friendlyNames": [{"@type": "text", "value": {"text": "Tilt", "locale": "en"}}]
}

ENDPOINT: dict[str, Any] = {
    "endpointId": "cover#blind",
    "friendlyName": "Blind",
    "description": "Blind via Home Assistant",
    "manufacturerName": "Home Assistant",
    "displayCategories": ["INTERIOR_BLIND"],
    "additionalAttributes": {"model": "x"},
    "cookie": {"a": "b"},
    "capabilities": [
        {
            "type": "AlexaInterface",
            "interface": "Alexa.RangeController",
            "instance": "cover.position",
            "version": "3",
            "properties": {"supported": [{"name": "rangeValue"}], "retrievable": True},
            "capabilityResources": NAMES,
            "configuration": {
                "supportedRange": {
                    "minimumValue": 0,
                    "maximumValue": 9,
                    "precision": 1,
                },
                "presets": [{"rangeValue": 1, "presetResources": NAMES}],
                "unitOfMeasure": "Alexa.Unit.Percent",
            },
            "semantics": {
                "actionMappings": [
                    {
                        "@type": "ActionsToDirective",
                        "actions": ["Alexa.Actions.Open"],
                        "directive": {
                            "name": "SetRangeValue",
                            "payload": {"rangeValue": 9},
                        },
                    }
                ]
            },
        },
        {
            "interface": "Alexa.ModeController",
            "instance": "cover.mode",
            "configuration": {
                "supportedModes": [{"value": "a.b", "modeResources": NAMES}]
            },
        },
    ],
}

STATE: dict[str, Any] = {
    "event": {
        "header": {"namespace": "Alexa", "name": "StateReport", "messageId": "x"},
        "endpoint": {"endpointId": "cover#blind"},
        "payload": {},
    },
    "context": {
        "properties": [
            {
                "namespace": "Alexa.RangeController",
                "instance": "cover.position",
                "name": "rangeValue",
                "value": {"value": 1, "scale": "CELSIUS"},
                "timeOfSample": "2026-11-26T10:00:00Z",
                "uncertaintyInMilliseconds": 0,
            }
        ]
    },
}
