"""The function between Amazon Alexa and a self-hosted Home Assistant.

Everything in this package ships to AWS Lambda; nothing else does.
A directive enters at `lambda_function.lambda_handler`, is answered by
`bridge.Bridge.answer` and leaves through `home_assistant.HomeAssistant.post`.
"""

__version__ = "1.0.0"
