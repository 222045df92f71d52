"""Stripe by the key of a deployment, for the commands that ask it themselves."""

from typing import Final

import stripe
from botocore.exceptions import BotoCoreError, ClientError

from .deployments import Cannot, Deployment
from .stripe_keys import SHARED_KEY

MOST_RETRIES: Final = 2  # the SDK's, under one key: an endpoint whose answer was lost is told again with its secret

stripe.enable_telemetry = False


def stripe_key(where: Deployment, output: str = SHARED_KEY) -> str:
    """A key of the deployment, by the output that has its secret's ARN. Raises Cannot."""
    try:
        secret = where.client("secretsmanager").get_secret_value(SecretId=where.output(output))
    except (BotoCoreError, ClientError) as error:
        raise Cannot(f"the Stripe key cannot be read: {error}") from error
    return str(secret["SecretString"]).strip()


def stripe_client(where: Deployment, key: str | None = None) -> stripe.StripeClient:
    """A client of the Stripe that the deployment uses, with a key or with the operator's. Raises Cannot."""
    base = where.parameters.get("StripeApiBase", stripe.DEFAULT_API_BASE)
    return stripe.StripeClient(key or stripe_key(where), base_addresses={"api": base}, max_network_retries=MOST_RETRIES)


def why(error: stripe.StripeError) -> str:
    """In words, and without Stripe's own, which may quote a key."""
    match error:
        case stripe.AuthenticationError():
            return "Stripe does not know the key: put a current one into the secret of StripeKeySecretArn."
        case stripe.PermissionError():
            return "The key has not the right to do this: use one that may write webhook endpoints."
        case stripe.APIConnectionError():
            return "Stripe does not answer."
    return f"Stripe refused ({error.code or type(error).__name__})."
