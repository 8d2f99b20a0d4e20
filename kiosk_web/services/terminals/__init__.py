"""A terminal and its page: enrolled, proven at every page, watched for staff."""
