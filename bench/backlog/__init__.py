"""F36: a backlog of 100,000 events, drained for real: `python -m bench.backlog [EVENTS]`.

`story` sells and collects what Stripe would send, `fifo` is the queue, `table` the table, `processor` the function in a
process of its own, `handing` what hands it batches; `draining` puts them together, `reckoning` looks at the books.
"""
