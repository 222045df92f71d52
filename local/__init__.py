"""The project on one machine: a local cloud, a Stripe simulator, and a demonstration. Production imports none of it."""
