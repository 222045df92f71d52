"""What is kept, for how long, and how it is protected: table, queues, secrets, logs."""

import json
from typing import get_args

from marketplace.adapters.keys import WORDS
from marketplace.domain.outgoing import Told
from marketplace.edge.deliveries import MOST_TRIES

from .conftest import Resource, Template

SET_ASIDE_BY_LAMBDA = {"UnsentEventsQueue", "UnreceivedEventsQueue"}  # which sends in no order
DAY_SECONDS = 24 * 60 * 60
OWN_KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


def test_the_table_can_be_restored_is_encrypted_and_outlives_its_stack(template: Template) -> None:
    table = template.one("AWS::DynamoDB::Table")
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    by_own_key = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKeyArn"}}
    assert table["SSESpecification"] == {"Fn::If": ["HasKmsKey", by_own_key, {"SSEEnabled": True}]}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsLocal", False, True]}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert template.resources["Table"]["DeletionPolicy"] == "Retain"
    assert template.resources["Table"]["UpdateReplacePolicy"] == "Retain"


def test_indexes_hold_keys_only_but_the_journal(template: Template) -> None:
    indexes = template.one("AWS::DynamoDB::Table")["GlobalSecondaryIndexes"]
    assert {index["IndexName"] for index in indexes} == {"by_merchant", "by_customer", "by_stripe_id", "due", "journal"}
    whole = {index["IndexName"] for index in indexes if index["Projection"] != {"ProjectionType": "KEYS_ONLY"}}
    assert whole == {"journal"}


def test_queues_are_first_in_first_out_encrypted_and_keep_what_failed_for_two_weeks(template: Template) -> None:
    queues = template.of("AWS::SQS::Queue")
    assert set(queues) == {"EventQueue", "EventDeadLetterQueue", *SET_ASIDE_BY_LAMBDA}
    for name, queue in queues.items():
        assert queue.get("FifoQueue", False) is (name not in SET_ASIDE_BY_LAMBDA)
        assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKmsKey", {"Ref": "AWS::NoValue"}, True]}
        assert queue["KmsMasterKeyId"] == OWN_KEY
        assert queue["MessageRetentionPeriod"] == 14 * DAY_SECONDS
    assert queues["EventQueue"]["ContentBasedDeduplication"] is False
    assert queues["EventQueue"]["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["EventDeadLetterQueue", "Arn"]},
        "maxReceiveCount": MOST_TRIES,
    }


def test_a_message_stays_hidden_while_it_may_still_be_processed(template: Template) -> None:
    processor = template.resources["ProcessEventsFunction"]["Properties"]
    assert template.of("AWS::SQS::Queue")["EventQueue"]["VisibilityTimeout"] >= 6 * processor["Timeout"]


def test_one_failed_event_does_not_fail_its_batch(template: Template) -> None:
    (source,) = (s for s in sources_of(template) if s["FunctionName"] == {"Ref": "ProcessEventsFunction"})
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_what_was_written_is_told_from_its_beginning_and_one_bad_record_does_not_stop_the_rest(
    template: Template,
) -> None:
    (source,) = (s for s in sources_of(template) if s["FunctionName"] == {"Ref": "SendEventsFunction"})
    assert template.one("AWS::DynamoDB::Table")["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert source["EventSourceArn"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert (source["StartingPosition"], source["BisectBatchOnFunctionError"]) == ("TRIM_HORIZON", True)
    assert source["MaximumRecordAgeInSeconds"] < DAY_SECONDS  # what the stream keeps
    assert source["DestinationConfig"]["OnFailure"] == {"Destination": {"Fn::GetAtt": ["UnsentEventsQueue", "Arn"]}}
    (only,) = source["FilterCriteria"]["Filters"]
    prefixes = [each["prefix"] for each in json.loads(only["Pattern"])["dynamodb"]["Keys"]["sk"]["S"]]
    assert {WORDS[kind] for kind in get_args(Told)} == {prefix.rstrip("#") for prefix in prefixes}


def sources_of(template: Template) -> list[Resource]:
    return list(template.of("AWS::Lambda::EventSourceMapping").values())


def test_every_function_logs_to_a_group_that_forgets(template: Template) -> None:
    groups = template.of("AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())
    functions = template.of("AWS::Lambda::Function")
    logged_to = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions.values()]
    assert sorted(logged_to) == sorted(groups)


# By schedule; the sweep's next one begins after 60, the others' after an hour.
LONGER = {"SweepFunction": 50, "CatchUpFunction": 600, "ReconcileFunction": 600, "AuditFunction": 600}


def test_every_function_is_bounded_and_answers_before_the_gateway_gives_up(template: Template) -> None:
    for name, function in template.of("AWS::Lambda::Function").items():
        assert 256 <= function["MemorySize"] <= 1024
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["Timeout"] <= LONGER.get(name, 28)


def test_secrets_are_created_without_a_value(template: Template) -> None:
    secrets = template.of("AWS::SecretsManager::Secret")
    assert {name for name in secrets if not name.endswith("StripeKeySecret")} == {"WebhookSecret"}
    for secret in secrets.values():
        assert set(secret) <= {"Description", "KmsKeyId", "Tags"}
        assert secret["KmsKeyId"] == OWN_KEY


def test_no_environment_holds_a_secret(template: Template) -> None:
    deployed = template.deployed(StripeKeys="separate")
    for function in deployed.of("AWS::Lambda::Function").values():
        for name, value in function["Environment"]["Variables"].items():
            assert "resolve:" not in json.dumps(value)
            if name.endswith("_SECRET_ARN"):
                assert value["Ref"] in deployed.of("AWS::SecretsManager::Secret")
