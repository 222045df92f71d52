"""Who asks. Made from the token's claims only, never from a request's body or path."""

from enum import StrEnum
from typing import NamedTuple

from marketplace.domain.errors import NotAllowed


class Role(StrEnum):
    """What a caller is. SYSTEM is the backend itself: webhooks and the schedules. A GUEST has no token at all."""

    OPERATOR = "operator"
    MERCHANT = "merchant"
    BUYER = "buyer"
    SYSTEM = "system"
    GUEST = "guest"


class Principal(NamedTuple):
    """A caller. ``subject`` is the token's; ``merchant_id`` is set exactly for merchants."""

    role: Role
    subject: str
    merchant_id: str | None = None
    email: str | None = None  # where the token says that its issuer has verified it

    def require(self, *roles: Role) -> None:
        """Refuse a caller of another role.

        Raises:
            NotAllowed.
        """
        if self.role not in roles:
            raise NotAllowed(f"this is for: {', '.join(roles)}")

    def sees_merchant(self, merchant_id: str) -> bool:
        """Whether what is this merchant's is the caller's to see: a merchant sees its own."""
        return self.sees_everything or (self.role is Role.MERCHANT and self.merchant_id == merchant_id)

    @property
    def sees_everything(self) -> bool:
        """Operators and the backend itself see every merchant's and buyer's objects."""
        return self.role in {Role.OPERATOR, Role.SYSTEM}


SYSTEM = Principal(role=Role.SYSTEM, subject="system")
