"""Connected accounts: one record for each, which API v1 and API v2 show in their own way.

The record is kept as the member ``_record`` of the platform's object ``account``, whose other members are the v1 view.

    id, created, closed, type           type: what ``type=express`` made, or "none"
    dashboard                           express, full, none
    contact_email, contact_phone, display_name, metadata
    identity, defaults                  as API v2 names their members; what API v1 was given is kept under these names
    responsibilities                    {fees_collector, losses_collector, requirements_collector}
    configurations                      {recipient: {applied, ...}}, settings other than capabilities
    capabilities                        {recipient: {"stripe_balance.stripe_transfers": None}}; the requested ones, each
                                        with the status that a test ordered for it, or None
    bank_accounts                       external accounts, as API v1 shows them, and ``_number`` (``banks``)
    persons                             the people of a company, or more of an individual (``persons``)
    company_flags                       whether all of them were given, as API v1 says
    demands                             what a test asks of the account besides: {name, v1_name, status, deadline}
    requested_at                        when capabilities were, by "configuration.capability"
    submitted, rejected                 what came of onboarding
    rejection, deauthorized             {reason, payouts} of a platform that rejected it; whether it left the platform
    profile, settings                   what only API v1 knows, as it was given
    payouts                             when and how the balance is paid out (``payout_terms``)

Statuses and requirements are computed from it (``standing``), so that both views always agree.
"""

from .changes import insert, save
from .checks import can_receive_transfers, check_connected, check_destination, check_settlement_merchant
from .record import ACCOUNTS, ACCOUNTS_V2, get_record

__all__ = [
    "ACCOUNTS",
    "ACCOUNTS_V2",
    "can_receive_transfers",
    "check_connected",
    "check_destination",
    "check_settlement_merchant",
    "get_record",
    "insert",
    "save",
]
