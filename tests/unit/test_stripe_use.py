"""S09: what each function can ask of Stripe, so that each can have a key that may do no more."""

import re

from local.stripe_use import FUNCTIONS, expanded, operations_of
from marketplace.operations import Operation

READS = {"list", "retrieve"}
BY_NAME = {str(path.relative_to(FUNCTIONS).with_suffix("")): path for path in FUNCTIONS.rglob("*.py")}
MOVE_MONEY = {
    Operation.CREATE_TRANSFER, Operation.REVERSE_TRANSFER, Operation.CREATE_REFUND, Operation.CREATE_PAYOUT,
    Operation.CREATE_PAYMENT_INTENT, Operation.CAPTURE_PAYMENT_INTENT,
}  # fmt: skip


def test_who_asks_stripe_is_who_has_its_key() -> None:
    has_key = {name for name, path in BY_NAME.items() if re.search(r"\bPart\.STRIPE\b", path.read_text())}
    assert {name for name, path in BY_NAME.items() if operations_of(path)} == has_key


def test_nothing_is_named_that_no_function_asks() -> None:
    assert frozenset().union(*map(operations_of, BY_NAME.values())) == set(Operation)


def test_what_reconciles_only_reads() -> None:
    asked = operations_of(BY_NAME["schedules/reconcile"])
    assert asked
    assert {each.value.rsplit(".", 1)[-1] for each in asked} <= READS


def test_what_keeps_merchants_catalog_and_customers_moves_no_money() -> None:
    for name in ("merchants/app", "catalog/app", "customers/app", "promotions/app"):
        assert not operations_of(BY_NAME[name]) & MOVE_MONEY, name


def test_what_follows_in_a_commit_is_found() -> None:
    assert Operation.REVERSE_TRANSFER in operations_of(BY_NAME["refunds/app"])
    assert Operation.CREATE_TRANSFER in operations_of(BY_NAME["payments/app"])
    assert operations_of(BY_NAME["schedules/sweep"]) >= MOVE_MONEY


def test_what_is_left_to_the_sweep_is_asked_by_nobody_else() -> None:
    asking = {name for name, path in BY_NAME.items() if Operation.REFUND_APPLICATION_FEE in operations_of(path)}
    assert asking == {"schedules/sweep", "commands/app"}


def test_who_only_hears_and_reads_again_ends_no_authorization() -> None:
    for name in ("webhooks/process", "schedules/catch_up"):
        asked = operations_of(BY_NAME[name])
        assert not asked & {Operation.CAPTURE_PAYMENT_INTENT, Operation.CANCEL_PAYMENT_INTENT}, name


def test_what_is_expanded_in_an_answer_is_found() -> None:
    assert Operation.LIST_APPLICATION_FEE_REFUNDS in operations_of(BY_NAME["refunds/app"])  # charge.application_fee
    assert expanded(["data.charge.application_fee", "lines"]) == {
        Operation.READ_CHARGE, Operation.LIST_APPLICATION_FEE_REFUNDS,
    }  # fmt: skip
