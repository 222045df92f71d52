"""A payments backend for marketplaces on Stripe Connect.

domain: rules, standard library only. services: use cases over ports. adapters: AWS, Stripe. edge: what handlers need.
Imports point one way: functions -> edge -> services -> domain; adapters -> ports and domain (checked by import-linter).
"""
