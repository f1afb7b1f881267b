"""The remedy: keys that fail are put under automatic rotation by Secrets Manager, and it is proved that they are.

``handler``  the Lambda function, one file that imports nothing of ours: what is deployed
"""
