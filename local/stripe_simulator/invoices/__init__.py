"""Invoices: drafted, finalized, paid or given up; their items, payments, credit notes and the customer's balance.

``drafts`` makes them, ``lines`` prices them, ``finalizing`` and ``collecting`` move them between their statuses,
``crediting`` takes them back, and ``watching`` tells those above, such as subscriptions, what became of them.
``exactness.examine(store)`` says what does not add up.
"""
