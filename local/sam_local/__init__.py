"""The functions in Lambda's own runtime, by `sam local`, against the local cloud's table and the Stripe simulator.

`overlay` makes the template that SAM CLI runs, `running` runs it, `check` asks every function and every route
(docs/sam-local.md). Needs a Docker engine; nothing else of the project does.
"""
