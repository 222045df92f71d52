"""What a purchase costs: coupons, promotion codes and discounts, tax rates, Stripe Tax, and the sums of it all.

Checkout, invoices and subscriptions use it; it knows nothing of them.
"""
