"""The only place that imports boto3 and botocore: a narrow typed gateway to AWS."""
