"""The ports as AWS and Stripe fulfil them: the only place that imports boto3 or stripe.

Adapters may import the ports and the domain; one module of the edge makes them, and nothing else imports them.
"""
