"""What the alarms and the dashboard look at is what the functions count: name, unit and dimensions."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local.cloud.places import PROJECT

from .backend import ENVIRONMENT, Backend, Context, charge_of, stripe_event
from .test_process import message, other, process
from .test_receive import Receiver, receiver  # noqa: F401 - a fixture

NAMESPACE = "AWS::StackName"  # what the template gives all functions, and the alarms
type Metric = tuple[str, str]  # the service, and what it counts


class References(yaml.SafeLoader):
    """Reads a template; a reference is what it names."""


References.add_multi_constructor(
    "!", lambda loader, _, node: loader.construct_scalar(node) if node.id == "scalar" else None
)


def resources() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((PROJECT / "template.yaml").read_text(), References)["Resources"]
    return found


def alarmed() -> set[Metric]:
    """What the alarms look at of the functions' own."""
    alarms = [each["Properties"] for each in resources().values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    own = [alarm for alarm in alarms if alarm.get("Namespace") == NAMESPACE]
    assert {name["Name"] for alarm in own for name in alarm["Dimensions"]} == {"service"}
    return {(alarm["Dimensions"][0]["Value"], alarm["MetricName"]) for alarm in own}


def shown() -> set[Metric]:
    """What the dashboard shows of the functions' own; a point stands for what stands above it."""
    found = set()
    for widget in json.loads(resources()["Dashboard"]["Properties"]["DashboardBody"])["widgets"]:
        above: list[Any] = []
        for row in widget["properties"]["metrics"]:
            named = [part for part in row if isinstance(part, str)]
            above = [over if part == "." else part for part, over in zip(named, above or named, strict=True)]
            if above[0] == "${AWS::StackName}":
                found.add((above[3], above[1]))
    return found


def counted_in(output: str) -> Iterator[tuple[Metric, str]]:
    """What was counted for a service as a whole, and its unit, in lines of the embedded metric format."""
    for line in filter(None, output.splitlines()):
        said = json.loads(line)
        for directive in said.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == ENVIRONMENT["POWERTOOLS_METRICS_NAMESPACE"]
            assert ["service"] in directive["Dimensions"]
            assert all(set(names) <= set(said) for names in directive["Dimensions"])
            for metric in directive["Metrics"]:
                assert isinstance(said[metric["Name"]], int)
                yield (said["service"], metric["Name"]), metric["Unit"]


def test_what_alarms_and_dashboard_look_at_is_counted(
    backend: Backend,
    receiver: Receiver,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", ENVIRONMENT["POWERTOOLS_METRICS_NAMESPACE"])

    def as_service(name: str) -> None:
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", name)

    as_service("receive-webhook")
    assert (receiver.deliver(), receiver.deliver(header="t=1,v1=0")) == (200, 400)
    as_service("process-events")
    sale = backend.sale(backend.price(backend.merchant()))
    paid = message(stripe_event("charge.succeeded", charge_of(sale)))
    process(backend, message(other("evt_2"), group="a"), message("{", group="b"), paid, paid)
    for name in ("sweep", "catch-up", "reconcile", "audit"):
        as_service(name)
        backend.modules[f"schedules.{name.replace('-', '_')}"].handler({}, Context(left_ms=500_000))
    found = list(counted_in(capsys.readouterr().out))
    counted = {metric for metric, _ in found}
    assert alarmed()
    assert (alarmed() - counted, shown() - counted) == (set(), set())
    for (_, name), unit in found:
        assert unit == ("Seconds" if name.endswith("_seconds") else "Count")
