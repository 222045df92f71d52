"""The ports as AWS and Stripe fulfil them: the only place that imports boto3 or stripe.

Adapters may import the ports and the domain. `wiring` makes them from a function's settings; nothing else imports them.
"""
