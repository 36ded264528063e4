"""The home as the function sees it, beside how it is seen from here."""

from typing import Any

import pytest

from ha_bridge_ops.check.catalogue import AWS, CHAIN
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Status
from tests.ops.check.conftest import Serve
from tests.worlds.cloud import NAME, NOW, REGION, Cloud
from tests.worlds.home import (
    PUBLIC,
    TOKEN,
    URL,
    assert_only,
    dialler,
    findings,
    home,
    ids,
    plain,
    resolver,
)


def test_works_from_home_and_fails_from_aws(cloud: Cloud, serve: Serve) -> None:
    """Only the function can see it; both stand side by side."""
    cloud.deploy()
    challenge = serve(home(get=plain(403, "error code: 1020")))
    cloud.answer = cloud.seen_by(challenge.port)
    found = cloud.look()
    assert_only(found, "aws.probe", "only_from_aws", fix="AS16509", skipped=set())
    assert ("ha.is_home_assistant", "✓ ok", "✗ FAILED") in found["aws.probe"].rows


def test_only_a_warning_from_aws(cloud: Cloud) -> None:
    """Such as a certificate that ends soon at one of two servers."""
    cloud.deploy()
    seen = cloud.answer({"ha_bridge": {"probe": {}}})
    seen["ha_bridge"]["probe"]["tls"]["not_after"] = int(NOW) + 5 * 86400
    cloud.answer = lambda _event: seen
    found = cloud.look()
    assert_only(found, "aws.probe", "warned", fix="certbot renew", skipped=set())
    assert found["aws.probe"].status is Status.WARNING


def test_fails_from_both(serve: Serve) -> None:
    """Told as such; the cause is the same."""
    cloud = Cloud(serve(home(get=plain(404, "404: Not Found"))).port)
    cloud.deploy()
    found = cloud.look()
    assert ids(found, Status.FAILED) == {"ha.smart_home", "aws.probe"}
    assert found["aws.probe"].causes == ("from_both",)
    assert "smart_home:" in found["aws.probe"].paste


def test_a_name_that_leads_elsewhere_at_home(cloud: Cloud) -> None:
    """The home's own router answers with the home's address; AWS sees another."""
    cloud.deploy()
    context = Context(
        {"BASE_URL": URL, "LONG_LIVED_ACCESS_TOKEN": TOKEN},
        now=lambda: NOW,
        resolve=resolver("192.168.1.4"),
        dial=dialler(cloud.port),
        aws=cloud.client,
    )
    found = findings(context, (*CHAIN, *AWS))
    assert ids(found, Status.FAILED) == {"address.public"}
    assert ("address.public", "✗ FAILED", "✓ ok") in found["aws.probe"].rows


def test_a_vpc_without_a_way_out(cloud: Cloud) -> None:
    """From here all is well, and the function reaches nobody."""
    cloud.deploy()
    cloud.configuration = {"VpcConfig": {"VpcId": "vpc-0123456789"}}
    failed = [{"address": PUBLIC, "error": "timeout", "reason": "timed out"}]
    report = {
        "base_url": URL,
        "resolve": {"addresses": [PUBLIC], "ms": 1.0},
        "connect": {"failed": failed},
    }
    cloud.answer = lambda _event: {"ha_bridge": {"probe": report}}
    finding = cloud.look(function=NAME, region=REGION)["aws.probe"]
    assert finding.causes[0] == "vpc"
    assert "NAT gateway" in finding.fix


def test_aws_decides_where_the_home_cannot_be_seen_from_here(cloud: Cloud) -> None:
    """A router that does not lead its own address back inside is no failure."""
    cloud.deploy()

    def refused(*_arguments: object) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    context = Context(
        {"BASE_URL": URL},
        now=lambda: NOW,
        resolve=resolver(PUBLIC),
        dial=refused,
        aws=cloud.client,
    )
    found = findings(context, (*CHAIN, *AWS))
    assert ids(found, Status.FAILED) == {"ha.reachable"}
    assert found["aws.probe"].causes == ("only_from_here",)
    assert context.findings["ha.reachable"].status is Status.WARNING
    assert "From AWS it is fine" in context.findings["ha.reachable"].means


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"event": {"payload": {"type": "INVALID_DIRECTIVE"}}}, "outdated"),
        (None, "outdated"),
        *(
            ({"errorType": f"{kind}Error", "errorMessage": "'directive'"}, "outdated")
            for kind in ("Assertion", "Attribute", "Key", "Type")
        ),
        ({"ha_bridge": {"error": "an ha_bridge event has one of: warm"}}, "outdated"),
        ({"ha_bridge": {"probe": {}}}, "outdated"),
        ({"errorType": "Runtime.ImportModuleError"}, "failed"),
        ({"ha_bridge": {"error": "BASE_URL is not set"}}, "failed"),
    ],
)
def test_a_function_that_does_not_answer(answer: Any, cause: str, cloud: Cloud) -> None:
    """An older version, another script, or one that is broken."""
    cloud.deploy()
    cloud.answer = lambda _event: answer
    found = cloud.look()
    fix = "--config-env eu" if cause == "outdated" else "aws logs tail"
    assert_only(found, "aws.probe", cause, fix=fix, skipped=set())
