"""The Lambda function that rotates the access keys of IAM users, each kept in a secret of its own.

Secrets Manager calls it with ``{"SecretId", "ClientRequestToken", "Step"}``, any step any number of times; a daily
rule with ``{"action": "retire"}``; whoever deploys it with ``{"action": "look", "SecretId"}``. The secret is JSON:
``username``, ``accesskey`` and ``secretkey`` (or as KEYAUDIT_FIELDS names them); other fields are kept. Which user
a secret is of is told by KEYAUDIT_USERS alone, never by a value or a tag, which others may write.

Its parts are deployed as one text (``rotation.code``); they import the standard library, boto3 and each other:
``basics``, ``clients``: words and times, how AWS is called; ``notices``: what people are told; ``secret``: what is
in it, and what is remembered there; ``iam_keys``, ``spare``: the user's keys, and which of them may be gone;
``four_steps``: a rotation; ``daily``: the daily run; ``entry``: where Lambda enters.

It never takes away a key that may be in use. The key in AWSCURRENT is never touched. A key that AWSCURRENT left is
deactivated after its grace, and deleted only when it was seen inactive, day by day, for the whole retention. A key
whose making was never answered is lost only if nobody can have it. What it must remember is in tags of the secret:

``keyaudit:attempt``   token, start, and the key that existed: a key is being made; empty once that has ended
``keyaudit:stored``    key, version: made and stored, not yet current
``keyaudit:current``   the key that the last run saw in AWSCURRENT
``keyaudit:replaced``  key, time: when it stopped being current; its grace runs from there
``keyaudit:inactive``  key, first and last day that it was seen inactive
``keyaudit:lost``      key, time: deactivated as lost
``keyaudit:named``     active keys of nobody that a notice has named
``keyaudit:waiting``   a rotation was begun, could not go on, and is to begin again
``keyaudit:pending``   version, time: first seen with AWSPENDING, where Secrets Manager does not tell its age

Rules: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""
