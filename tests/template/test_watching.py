"""What tells somebody at three in the morning: the alarms and the dashboard, and that they look at what there is."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from marketplace.adapters.keys import INDEXES

from .conftest import Template

OWN = {"Ref": "AWS::StackName"}  # the namespace of what the functions count
OF_AWS = {
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): {"QueueName"},
    ("AWS/Lambda", "IteratorAge"): {"FunctionName"},
    ("AWS/Lambda", "Invocations"): {"FunctionName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    ("AWS/ApiGateway", "5xx"): {"ApiId"},
    ("AWS/DynamoDB", "WriteThrottleEvents"): {"TableName"},
}
MOST_METRICS = 10  # of one alarm
S13 = {
    "DeadLettersAlarm", "UnsentEventsAlarm", "UnreceivedEventsAlarm", "EventQueueAgeAlarm", "StreamAgeAlarm",
    "OldestCommandAlarm", "OverdueAlarm", "ClearingAlarm", "FindingsAlarm", "DiscrepanciesAlarm",
    "SignatureFailuresAlarm", "ServerErrorsAlarm", "ThrottlesAlarm", "TableThrottlesAlarm", "BackgroundErrorsAlarm",
    "SweepStoppedAlarm",
}  # fmt: skip
MOST_RESOURCES = 500  # of a stack
ROOM = 100  # resources that may be added before the stack must be divided
MOST_TEMPLATE_BYTES = 1_000_000


def metrics_of(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What an alarm looks at: one metric, or those that it sums."""
    return [alarm] if "MetricName" in alarm else [m["MetricStat"]["Metric"] for m in alarm["Metrics"][1:]]


def dimensions(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in metric["Dimensions"]}


def named(template: Template, value: Any) -> str | None:
    """The logical id of a resource that is named by Ref or by its name."""
    name = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
    return name if name in template.resources else None


def test_s13_there_is_an_alarm_for_each_thing_that_must_not_stay_unseen(template: Template) -> None:
    assert set(template.of("AWS::CloudWatch::Alarm")) == S13


def test_an_alarm_says_what_is_wrong_and_tells_the_topic_both_ways(template: Template) -> None:
    told = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for alarm in template.of("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == told
        assert alarm["AlarmDescription"].endswith(".")
        assert len(metrics_of(alarm)) <= MOST_METRICS


def test_silence_is_no_alarm_but_of_the_sweep(template: Template) -> None:
    alarms = template.of("AWS::CloudWatch::Alarm")
    assert {name for name, each in alarms.items() if each["TreatMissingData"] != "notBreaching"} == {
        "SweepStoppedAlarm"
    }
    assert alarms["SweepStoppedAlarm"]["TreatMissingData"] == "breaching"


def test_alarms_look_at_metrics_that_aws_has_of_resources_that_are_there(template: Template) -> None:
    for name, alarm in template.of("AWS::CloudWatch::Alarm").items():
        for metric in metrics_of(alarm):
            of = dimensions(metric)
            if metric["Namespace"] == OWN:
                assert set(of) == {"service"}, name
                continue
            index = of.pop("GlobalSecondaryIndexName", None)
            assert index is None or index in INDEXES
            assert set(of) == OF_AWS[metric["Namespace"], metric["MetricName"]], name
            assert all(named(template, value) for value in of.values()), name


def test_every_index_and_the_table_are_watched_for_throttling(template: Template) -> None:
    alarm = template.of("AWS::CloudWatch::Alarm")["TableThrottlesAlarm"]
    watched = {dimensions(metric).get("GlobalSecondaryIndexName") for metric in metrics_of(alarm)}
    assert watched == {None, *INDEXES}


def test_every_function_that_nobody_waits_for_is_watched_for_errors(template: Template) -> None:
    alarm = template.of("AWS::CloudWatch::Alarm")["BackgroundErrorsAlarm"]
    watched = {dimensions(metric)["FunctionName"]["Ref"] for metric in metrics_of(alarm)}
    asked_by_api = {
        reference
        for _, operation in template.operations()
        for reference in re.findall(r"functions/\$\{(\w+?)(?:\.Arn|Aliaslive)\}", json.dumps(operation))
    }
    set_aside = {"ReceivePartnerEventFunction"}  # is there by parameter; what it cannot keep has an alarm of its own
    assert watched == set(template.of("AWS::Lambda::Function")) - asked_by_api - set_aside


def test_the_dashboard_is_drawn_of_what_there_is(template: Template) -> None:
    body = template.one("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    pseudo = {"AWS::StackName", "AWS::Region"}
    assert {name.partition(".")[0] for name in re.findall(r"\$\{([\w:.]+)\}", body)} - pseudo <= set(template.resources)
    widgets = json.loads(body)["widgets"]
    assert [(each["x"], each["y"]) for each in widgets] == [(8 * (n % 3), 6 * (n // 3)) for n in range(len(widgets))]


def test_the_stack_stays_within_what_cloudformation_takes(template: Template) -> None:
    assert len(template.resources) <= MOST_RESOURCES - ROOM
    assert len(json.dumps(template.document)) <= MOST_TEMPLATE_BYTES // 2


def functions_that_ask_stripe(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, function in template.of("AWS::Lambda::Function").items():
        if "STRIPE_SECRET_ARN" in function["Environment"]["Variables"]:
            yield name, function


def test_what_asks_stripe_for_a_caller_can_be_kept_within_its_rate_limit(template: Template) -> None:
    by_event = {"ProcessEventsFunction", "SweepFunction", "CatchUpFunction", "ReconcileFunction"}
    limit = {"Fn::If": ["LimitsStripe", {"Ref": "StripeConcurrency"}, {"Ref": "AWS::NoValue"}]}
    for name, function in functions_that_ask_stripe(template):
        assert function.get("ReservedConcurrentExecutions") == (None if name in by_event else limit), name
    (queue,) = (
        mapping
        for mapping in template.of("AWS::Lambda::EventSourceMapping").values()
        if mapping["FunctionName"] == {"Ref": "ProcessEventsFunction"}
    )
    assert queue["ScalingConfig"] == {"MaximumConcurrency": {"Fn::If": ["IsLocal", 2, {"Ref": "EventConcurrency"}]}}
