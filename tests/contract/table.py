"""The table exactly as the template declares it, for a DynamoDB of whatever kind."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
DECIDED_HERE = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


class _TemplateLoader(yaml.SafeLoader):
    """Reads a template; what its functions (!Ref, !If) would say is of no concern here."""


_TemplateLoader.add_multi_constructor("!", lambda loader, suffix, node: None)


def table_properties() -> dict[str, Any]:
    """What decides how the table stores and finds items."""
    template = yaml.load(TEMPLATE.read_text(), _TemplateLoader)  # a SafeLoader
    properties = template["Resources"]["Table"]["Properties"]
    return {name: properties[name] for name in DECIDED_HERE}


def ttl_attribute() -> str:
    template = yaml.load(TEMPLATE.read_text(), _TemplateLoader)
    return str(template["Resources"]["Table"]["Properties"]["TimeToLiveSpecification"]["AttributeName"])


def create_table(client: "DynamoDBClient", name: str) -> None:
    client.create_table(TableName=name, **table_properties())
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
