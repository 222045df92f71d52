"""What every function needs between AWS and the use cases: settings, callers, resolver, problems, views, logs.

May import services, ports and domain. The functions import it; it imports no adapter.
"""
