"""API Gateway's HTTP API with the one route of template.yaml, in front of a function.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
from collections.abc import Callable
from typing import Any

from tests.fakes.behaviours import response
from tests.fakes.server import Behaviour, Exchange, Request


def event_of(request: Request) -> dict[str, Any]:
    """Return the event that a function gets of a request, in format 2.0.

    The body of a form comes in base64.
    """
    path, _, query = request.target.partition("?")
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(request.headers),
        "requestContext": {
            "http": {"method": request.method, "path": path, "protocol": "HTTP/1.1"},
            "stage": "$default",
        },
        "body": base64.b64encode(request.body).decode(),
        "isBase64Encoded": True,
    }


def http_api(function: Callable[[dict[str, Any]], dict[str, Any]]) -> Behaviour:
    """Return what an API does with a request: only the route reaches the function."""

    def behave(exchange: Exchange) -> None:
        request = exchange.request
        if (request.method, request.target.partition("?")[0]) != (
            "POST",
            "/auth/token",
        ):
            exchange.send(response(404, b'{"message":"Not Found"}'))
            return
        answer = function(event_of(request))
        body = answer["body"].encode()
        exchange.send(response(answer["statusCode"], body, answer["headers"]))

    return behave
