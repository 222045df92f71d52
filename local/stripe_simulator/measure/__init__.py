"""How fast the simulator is, how large, and whether it stays so: ``python -m local.stripe_simulator.measure``.

May import everything; nothing imports it but tests.
"""
