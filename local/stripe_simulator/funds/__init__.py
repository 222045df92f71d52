"""How money moves: payment methods, PaymentIntents, charges, transfers, fees, refunds, and the balances they book on.

The modules under ``resources`` are the API's operations on these. What else pays, such as a Checkout Session, calls:

* ``intents.open_intent(context, params, watcher="checkout.session")``: a PaymentIntent from the API's parameters for
  creating one; the watcher hears of every outcome. The API cannot cancel it while nobody has paid:
  ``captures.cancel(context, intent, reason)`` can.
* ``methods.card(context, number=..., exp_month=..., exp_year=..., cvc=..., billing_details=...)``,
  ``methods.us_bank_account(context, account_number=...)``, ``methods.sepa_debit(context, iban=...)`` and
  ``methods.named(context, "pm_card_visa")``: what a buyer typed, as a payment method. ``CardError`` for a number that
  is none.
* ``intents.confirm_with(context, intent, payment_method, return_url=...)``: gives the intent as it then stands
  (``succeeded``, ``requires_capture``, ``requires_action`` with ``next_action``, ``processing``); raises ``CardError``
  when it is declined. What was recorded of a decline is kept, whether the error leaves an API handler or a page
  catches it.
* ``intents.authenticate(context, intent_id, succeeded=True)``: 3-D Secure came to an end; the same results. When it
  failed the intent comes as ``requires_payment_method``.
* ``@intents.watches("checkout.session")`` on ``handler(context, intent)``: called in the same transaction, on the
  intent's account, after each attempt that changed the intent's status or failed; ``intent["status"]`` and
  ``intent["last_payment_error"]`` say which.

The page of 3-D Secure is ``{base_url}/3ds/{intent}``. ``exactness.examine(store)`` says whether a cent is missing.
"""
