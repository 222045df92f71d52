"""Subscriptions: begun, renewed, changed with proration, paused and ended; each period is billed by an invoice.

``periods`` and ``proration`` are arithmetic; ``beginning``, ``cycling`` and ``changing`` move subscriptions between
their statuses. Nothing here knows Checkout or the billing portal, which use it.
"""
