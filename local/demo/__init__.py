"""`make demo`: a marketplace's day, played through HTTP against the running local cloud, with the money shown.

Imports nothing of the backend: it knows the API and Stripe's, as a frontend and a bookkeeper would.
"""
