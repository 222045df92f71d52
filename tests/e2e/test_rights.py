"""S08 on the local cloud: each function has the credentials of its role, and is refused what its policies leave out."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.cloud import Stack
from tests.e2e.shop import Shop, done

COUPON = {"name": "Tea", "percent_off": "10"}


@contextmanager
def without(stack: Stack, function: str, policy: str) -> Iterator[None]:
    """For a while the role of a function lacks a policy."""
    iam, name = stack.client("iam"), stack.functions[function]
    role = stack.client("lambda").get_function_configuration(FunctionName=name)["Role"].rsplit("/", 1)[-1]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    (arn,) = [each["PolicyArn"] for each in attached if f"-{policy}-" in each["PolicyArn"]]
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    try:
        yield
    finally:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)


@pytest.mark.parametrize("policy", ["WriteTablePolicy", "ReadTablePolicy"])
def test_s08_a_function_whose_role_lacks_a_right_is_refused_it(shop: Shop, policy: str) -> None:
    with without(shop.stack, "PromotionsFunction", policy):
        assert shop.operator.post("/coupons", COUPON).is_server_error
    assert done(shop.operator.post("/coupons", COUPON))["active"]
