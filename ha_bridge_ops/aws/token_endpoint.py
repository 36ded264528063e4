"""The token endpoint beside a function: where it is, and who reaches it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from ha_bridge_ops.aws.function import TOKEN_HANDLER, Function
from ha_bridge_ops.aws.policies import CALLS
from ha_bridge_ops.aws.session import AwsError, call, reads_aws

#: Where Amazon asks, below the address of API or function.
PATH: Final = "/auth/token"

#: Who calls for an API, and which, by the permission that it has.
#: https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
_GATEWAY: Final = "apigateway.amazonaws.com"
_API: Final = re.compile(r"arn:aws[a-z-]*:execute-api:[a-z0-9-]+:\d{12}:([a-z0-9]+)/.*")

#: What a function URL looks like.
#: https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
_URL: Final = re.compile(r"https://[a-z0-9]+\.lambda-url\.[a-z0-9-]+\.on\.aws/?")

#: Conditions for its login, and that a call came by it.
#: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
_URL_KIND: Final = "lambda:functionurlauthtype"
_BY_URL: Final = "lambda:invokedviafunctionurl"

#: Routes that lead there.
#: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
_ROUTES: Final = frozenset({f"POST {PATH}", f"ANY {PATH}", "ANY /{proxy+}", "$default"})


@dataclass(frozen=True)
class TokenEndpoint:
    """A function that gives tokens."""

    function: Function

    @classmethod
    @reads_aws
    def beside(cls, function: Function) -> Self | None:
        """Return the one that belongs to a bridge: by the template's name, or its home.

        Raises:
            AwsError: AWS does not let us look.
        """
        client = function.client("lambda")
        found: list[dict[str, Any]]
        try:
            name = f"{function.name}-token"
            found = [call(client.get_function_configuration, FunctionName=name)]
        except AwsError as error:
            if not error.is_not_there:
                raise
            pages = call(client.get_paginator("list_functions").paginate)
            found = call(lambda: [one for page in pages for one in page["Functions"]])
        for one in found:
            if one.get("Handler") == TOKEN_HANDLER:
                its = Function.described(function.session, one)
                if len(found) == 1 or _home(its) == _home(function):
                    return cls(its)
        return None

    @property
    def is_switched_off(self) -> bool:
        """Whether AWS lets it run not even once at a time."""
        return self.function.concurrency() == 0

    def api_urls(self) -> Iterator[str | None]:
        """Give where each API that may call it is asked; None for one without a route.

        Raises:
            AwsError: AWS does not let us look.
        """
        region = self.function.region
        for one in self.function.callers():
            if one.principal != _GATEWAY:
                continue
            arns = map(_API.fullmatch, one.asked.get("aws:sourcearn", []))
            for arn in filter(None, arns):
                url = f"https://{arn[1]}.execute-api.{region}.amazonaws.com{PATH}"
                yield url if self._routes(arn[1]) & _ROUTES else None

    @reads_aws
    def _routes(self, api: str) -> set[str]:
        client = self.function.client("apigatewayv2")
        try:
            found = call(client.get_routes, ApiId=api)
        except AwsError as error:
            if error.code == "NotFoundException":
                return set()
            raise
        return {str(one.get("RouteKey")) for one in found.get("Items", [])}

    @reads_aws
    def url(self) -> str | None:
        """Return where its function URL is asked; None if it has none without a login.

        Raises:
            AwsError: AWS does not let us look, or what it shows is no function URL.
        """
        found = self.function.open_url()
        if found and not _URL.fullmatch(found):
            raise ValueError
        return found.rstrip("/") + PATH if found else None

    def lets_url_in(self) -> bool:
        """Return whether both permissions are there that a function URL needs.

        Raises:
            AwsError: AWS does not say.
        """
        given = [
            one
            for one in self.function.callers()
            if one.principal == "*"
            and one.is_anybody
            and (
                "NONE" in one.asked.get(_URL_KIND, [])
                or "true" in map(str.lower, one.asked.get(_BY_URL, []))
            )
        ]
        return all(any(one.may(action) for one in given) for action in CALLS)


def _home(function: Function) -> str:
    return function.variables.get("BASE_URL", "").strip().rstrip("/")
