"""F36: a backlog of 100,000 events, drained for real: `python -m bench.backlog [EVENTS]`.

`story` sells and collects what Stripe would send, `fifo` is the queue, `processor` is the function in a process of its
own, over a DynamoDB behind HTTP; `draining` puts them together and says what was seen.
"""
