"""A whole local cloud from start to stop."""

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from cli.stripe_keys import places
from cli.webhooks.kept import Vault

from . import sam
from .aws import REGION, client, ministack
from .gateway import Resolved, complete_api
from .ports import AWS_SETTING, HOST, STRIPE_SETTING, Ports, require_free
from .rights import complete_rights
from .stack import Stack
from .stripe_account import StripeAccount, simulator
from .users import FIRST_USERS, token

API_ID: Final = "marketplace"
RETURN_ORIGIN: Final = "http://localhost:3000"
PAYMENT_DESCRIPTION: Final = "Order {order_id}: {products}"  # of merchants' own charges


@contextmanager
def running_cloud(
    folder: Path, ports: Ports, account: StripeAccount | None = None, *, more: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """Start a local cloud with nothing in it, hand out its stack, and stop all that was started.

    ``folder`` takes logs and temporary files, and must not be another cloud's. Without an ``account`` a simulator is
    started as well. ``more`` are parameters of the template, as `deploy` takes them.

    Raises:
        CannotRun: a port is taken, a tool is missing, or a part did not start.
    """
    require_free(ports.aws, AWS_SETTING)
    if account is None:
        require_free(ports.stripe, STRIPE_SETTING)
    _empty(folder)
    with ExitStack() as running:
        build = running.enter_context(ThreadPoolExecutor(1)).submit(sam.build, folder / "sam.log")
        running.callback(shutil.rmtree, folder / "tmp", ignore_errors=True)
        running.enter_context(ministack(port=ports.aws, folder=folder))
        account = account or running.enter_context(simulator(port=ports.stripe, folder=folder))
        yield deploy(build.result(), f"http://{HOST}:{ports.aws}", account, folder / "sam.log", more=more)


def deploy(
    template: Path, endpoint: str, account: StripeAccount, log: Path, *,
    stack_name: str = sam.STACK_NAME, api_id: str = API_ID, more: Mapping[str, str] | None = None,
) -> Stack:  # fmt: skip
    """Deploy a built template into a running local AWS, its keys, webhooks, users and API with it.

    ``more`` are parameters of the template, beside the usual ones or in their place. With a `JwtIssuer` the users are
    that issuer's: the stack has no pool and no tokens.

    Raises:
        CannotRun: the deploy failed.
    """
    api = f"{endpoint}/_aws/execute-api/{api_id}"
    parameters = {
        "Stage": "local",
        "Architecture": sam.architecture(),
        "ApiBaseUrl": api,
        "StripeApiBase": account.base,
        "StripeKeys": "separate" if account.is_simulated else "shared",
        "ReturnOrigins": RETURN_ORIGIN,
        "PaymentTemplate": json.dumps({"description": PAYMENT_DESCRIPTION}),
        **(more or {}),
    }
    deployed = sam.deploy(
        template, endpoint=endpoint, api_id=api_id, parameters=parameters, log=log, stack_name=stack_name
    )
    issuer, audience = _users_of(deployed, parameters)
    references = Resolved(arns=deployed.arns, issuer=issuer, audience=audience, origins=[RETURN_ORIGIN])
    complete_api(client(endpoint, "apigatewayv2"), api_id, deployed.api, references)
    secrets_manager = client(endpoint, "secretsmanager")
    complete_rights(client(endpoint, "iam"), secrets_manager)
    for place in places(parameters["StripeKeys"]):
        key = account.restricted_key(place.group) if place.group else account.key
        secrets_manager.put_secret_value(SecretId=deployed.outputs[place.output], SecretString=key)
    vault = Vault(secrets_manager, deployed.outputs["WebhookSecretArn"])
    account.subscribe(api, vault)
    secrets = {path: list(kept) for path, kept in vault.read().lists.items()}
    return _stack(endpoint, api, deployed, account, secrets)


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    for log in folder.glob("*.log"):
        log.unlink()


def _users_of(deployed: sam.Deployed, parameters: Mapping[str, str]) -> tuple[str, str]:
    """Whose tokens the API takes: the issuer's URL, and the audience."""
    if parameters.get("JwtIssuer"):
        return parameters["JwtIssuer"], parameters["JwtAudience"]
    pool = f"https://cognito-idp.{REGION}.amazonaws.com/{deployed.outputs['UserPoolId']}"
    return pool, deployed.outputs["UserPoolClientId"]


def _stack(
    endpoint: str, api: str, deployed: sam.Deployed, account: StripeAccount, secrets: dict[str, list[str]]
) -> Stack:
    outputs = deployed.outputs
    pool_id, client_id = outputs.get("UserPoolId", ""), outputs.get("UserPoolClientId", "")
    cognito = client(endpoint, "cognito-idp")
    users = FIRST_USERS if pool_id else ()
    return Stack(
        api=api,
        stripe=account.base,
        stripe_key=account.key if account.is_simulated else "",
        return_origin=RETURN_ORIGIN,
        tokens={user.role: token(cognito, pool_id, client_id, user) for user in users},
        webhook_secrets=secrets,
        aws_endpoint=endpoint,
        region=REGION,
        functions=deployed.functions,
        table=outputs["TableName"],
        queue_url=outputs["EventQueueUrl"],
        dead_letter_queue_url=outputs["EventDeadLetterQueueUrl"],
        event_bus_name=outputs["EventBusName"],
        stripe_key_secret_arn=outputs["StripeKeySecretArn"],
        webhook_secret_arn=outputs["WebhookSecretArn"],
        user_pool_id=pool_id,
        user_pool_client_id=client_id,
    )
