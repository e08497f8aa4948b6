"""ssm-tui: a terminal interface for AWS Systems Manager sessions."""

__version__ = "0.1.0"
