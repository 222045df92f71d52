"""The operators' command line: `bin/marketplace --help`."""
