"""How money moves: payment methods, PaymentIntents, charges, transfers, fees, refunds, and the balances they book on.

The modules under ``resources`` are the API's operations on these. What else pays, such as a Checkout Session, calls:

* ``intents.open_intent(context, params, watcher="checkout.session")``: a PaymentIntent from the API's parameters for
  creating one; the watcher hears of every outcome.
* ``methods.card(context, number=..., exp_month=..., exp_year=..., cvc=..., billing_details=...)``,
  ``methods.us_bank_account(context, routing_number=..., account_number=...)``, ``methods.sepa_debit(context, iban=...)``
  and ``methods.named(context, "pm_card_visa")``: what a buyer typed, as a payment method. Raise ``CardError`` for a number
  that is none.
* ``intents.confirm_with(context, intent, payment_method)``: gives the intent as it then stands (``succeeded``,
  ``requires_capture``, ``requires_action`` with ``next_action``, ``processing``); raises ``CardError`` when it is declined,
  and what was recorded of the decline stays.
* ``intents.authenticate(context, intent_id, succeeded=True)``: 3-D Secure came to an end; the same results.
* ``@intents.watches("checkout.session")`` on ``handler(context, intent)``: called in the same transaction, on the intent's
  account, after each attempt that changed the intent's status or failed; ``intent["status"]`` and
  ``intent["last_payment_error"]`` say which.

Nothing here imports ``resources`` but ``destinations``, which asks the accounts who can receive transfers.
"""
