"""What a merchant sees of a payment of its own at Stripe: a description and metadata, by the operator's template."""

from collections.abc import Mapping
from string import Formatter
from typing import Any, Final, NamedTuple, Self

from marketplace.domain.transactions import Transaction

LONGEST_DESCRIPTION: Final = 500
LONGEST_VALUE: Final = 500  # https://docs.stripe.com/api/metadata
LONGEST_KEY: Final = 40
MOST_KEYS: Final = 20
ORDER_ID: Final = "order_id"  # the metadata of a sale by which the marketplace knows it
# All that can be named: whose the buyer is or where he lives is not among it.
PLACEHOLDERS: Final = frozenset({"transaction_id", ORDER_ID, "products", "quantity"})


class PaymentTemplate(NamedTuple):
    """``{"description": "Order {order_id}: {products}", "metadata": {"order": "{order_id}"}}``; each part optional.

    ``{order_id}`` is the sale's ``metadata.order_id``, or the transaction's id where it has none; ``{products}`` are
    the names of the merchant's own lines and ``{quantity}`` how many things they are.
    """

    description: str | None = None
    metadata: Mapping[str, str] = {}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The template that a JSON object says.

        Raises:
            ValueError: an unknown part or placeholder, what is no text, or what is too long for Stripe.
        """
        unknown = sorted(set(given) - set(cls._fields))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: known are {', '.join(cls._fields)}")
        description, metadata = given.get("description"), given.get("metadata", {})
        if not isinstance(metadata, dict) or len(metadata) > MOST_KEYS:
            raise ValueError(f"metadata is an object of at most {MOST_KEYS} names")
        for key in metadata:
            if not 0 < len(key) <= LONGEST_KEY or "[" in key or "]" in key:
                raise ValueError(f"a name of metadata has 1 to {LONGEST_KEY} characters and no brackets")
        for text in (*metadata.values(), *([] if description is None else [description])):
            _require_template(text)
        return cls(description=description, metadata=metadata)

    def of_payment(self, transaction: Transaction, merchant_id: str) -> dict[str, Any]:
        """What a merchant's payment of a sale is told, cut to what Stripe takes."""
        lines = [line for line in transaction.line_items if line.merchant_id in {None, merchant_id}]
        values = {
            "transaction_id": transaction.id,
            ORDER_ID: transaction.metadata.get(ORDER_ID, transaction.id),
            "products": ", ".join(line.name for line in lines),
            "quantity": str(sum(line.quantity for line in lines)),
        }
        metadata = {key: _cut(text.format_map(values), LONGEST_VALUE) for key, text in self.metadata.items()}
        said: dict[str, Any] = {"metadata": metadata} if metadata else {}
        if self.description is not None:
            said["description"] = _cut(self.description.format_map(values), LONGEST_DESCRIPTION)
        return said


def _require_template(text: object) -> None:
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_VALUE:
        raise ValueError(f"a text of the template has 1 to {LONGEST_VALUE} characters")
    for _, name, specification, conversion in Formatter().parse(text):  # ValueError where a brace stands alone
        if name is not None and (name not in PLACEHOLDERS or specification or conversion):
            raise ValueError(f"{{{name}}}: known are {', '.join(sorted(PLACEHOLDERS))}")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
