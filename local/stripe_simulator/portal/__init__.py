"""The billing portal: what customers may do there by themselves, and the sessions that let them in.

The API is in ``resources/billing_portal``, the page in ``resources/portal_page``.
"""
