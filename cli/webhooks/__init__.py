"""The endpoints at Stripe and their signing secrets: made, mended, rotated, whatever interrupts it.

Imports nothing of the command line, because the local cloud begins with it too.
"""
