"""Users of the local cloud's Cognito pool, and their tokens."""

from dataclasses import dataclass
from typing import Final, Literal

from .aws import AwsClient

Role = Literal["operator", "merchant", "buyer"]
PASSWORD: Final = "Only-in-the-local-cloud-1"  # noqa: S105 - of users that exist on this machine alone
OWNER_OF_NOTHING: Final = "merchant-" + 26 * "0"  # a well-formed id that no merchant has


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who may call: the role is a Cognito group, the merchant a claim."""

    role: Role
    email: str
    merchant_id: str | None = None


FIRST_USERS: Final = (
    User(role="operator", email="operator@marketplace.example"),
    User(role="merchant", email="merchant@marketplace.example", merchant_id=OWNER_OF_NOTHING),
    User(role="buyer", email="buyer@marketplace.example"),
)


def token(cognito: AwsClient, pool_id: str, client_id: str, user: User) -> str:
    """An ID token of the user, who is made if need be, or given another merchant."""
    name = {"UserPoolId": pool_id, "Username": user.email}
    attributes = [{"Name": "email", "Value": user.email}, {"Name": "email_verified", "Value": "true"}]
    if user.merchant_id is not None:
        attributes.append({"Name": "custom:merchant_id", "Value": user.merchant_id})
    try:
        cognito.admin_create_user(**name, MessageAction="SUPPRESS", UserAttributes=attributes)
    except cognito.exceptions.UsernameExistsException:
        cognito.admin_update_user_attributes(**name, UserAttributes=attributes)
    cognito.admin_set_user_password(**name, Password=PASSWORD, Permanent=True)
    cognito.admin_add_user_to_group(**name, GroupName=user.role)
    signed_in = cognito.admin_initiate_auth(
        UserPoolId=pool_id,
        ClientId=client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user.email, "PASSWORD": PASSWORD},
    )
    return str(signed_in["AuthenticationResult"]["IdToken"])
