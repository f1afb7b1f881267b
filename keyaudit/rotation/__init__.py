"""The remedy: keys that fail are put under automatic rotation by Secrets Manager, and it is proved that they are.

``handler``   the Lambda function, one file that imports nothing of ours: what is deployed
``template``  the CloudFormation template around it;  ``periods``: how long it waits for what
``stack``     its stack in CloudFormation, and one rotation
``plan``      who must do what by when, and ``steps``: in which order (pure)
"""
