"""AWS itself: the only room that imports boto3, apart from what is deployed (``rotation.function``).

``session``      credentials and clients, by boto3's usual chain, and whose they are
``calls``        each call paced, bounded, retried, recorded;  ``workers``: threads that nobody has to wait for
``forks``        processes with such threads, for what computes more than it waits
``permissions``  what reading an account takes, as a policy and as a role; imports no boto3
``partitions``   what the names of regions and roles tell
"""
