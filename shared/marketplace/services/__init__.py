"""Use cases: what the marketplace can do, over ports. Import the domain and ports; never boto3, stripe or a clock."""
