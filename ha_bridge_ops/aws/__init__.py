"""AWS: the only room that knows boto3, which is loaded when AWS is first asked."""
