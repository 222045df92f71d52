"""Subscription schedules: phases that a subscription goes through at their dates.

``phases`` turns what a request says into phases and phases into what is asked of a subscription; ``records`` keeps
schedules. ``running`` moves them.
"""
