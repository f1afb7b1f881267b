"""AWS itself: the one room that imports boto3, but for what is deployed (``rotation.function``).

``session``      credentials and clients, by boto3's usual chain, and whose they are
``calls``        each call paced, bounded, retried, recorded;  ``workers``: threads that nobody has to wait for
``permissions``  what it takes to read an account, as a policy and as a role; imports no boto3
``partitions``   what the names of regions and roles tell
"""
