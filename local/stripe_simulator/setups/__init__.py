"""Saving payment methods for later: SetupIntents, their attempts, and the mandates that bank debits need.

Built on ``funds``' payment methods; no money moves. What else saves one, such as a Checkout Session, calls:

* ``intents.open_intent(context, params, watcher=...)``: a SetupIntent from the API's parameters for creating one.
* ``confirming.confirm_with(context, intent, method, acceptance=...)``: the intent as it then stands (``succeeded``,
  ``requires_action``); raises ``CardError`` when it is declined, which is recorded all the same.
* ``confirming.authenticate(context, intent_id, succeeded=True)``: 3-D Secure came to an end.
* ``@intents.watches(name)`` on ``handler(context, intent)``: called after each attempt, as for PaymentIntents.
"""
