"""Checkout Sessions: what was asked for, what the buyer does on the hosted page, and what becomes of the session.

``sessions`` makes them and moves them between their statuses, ``line_items`` prices them, ``buying`` pays them.
"""
