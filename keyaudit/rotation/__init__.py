"""The remedy: keys that fail are put under automatic rotation by Secrets Manager, and it is proved that they are.

``function``    the Lambda function: parts that import nothing else of ours
``code``        these put together, as one text: what is deployed
``deployment``  what is deployed, for one user or many; ``asked``: what an operator asks for; ``users``: the plan's
                file; ``naming``, ``periods``: what things are called, how long what takes (pure)
``template``    a deployment as CloudFormation's template; ``policies``: what its role may do; ``limits``: what AWS
                takes; ``deployed``: a template back to what it deployed (pure)
``operator``    the calls of an operator; ``stack``: a stack in CloudFormation
``deploy``      one user, ``many`` users, ``update`` of what is old; ``once``: one rotation; ``remarks``: what is
                said before
``plan``        who must do what by when: ``keys``, the users of an Audit; ``cases``, what may be switched off and
                what not; ``steps``, in which order; ``fresh``, whether the evidence is; ``printed`` (pure)
"""
