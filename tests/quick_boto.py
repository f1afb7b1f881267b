"""boto3 for processes that make hundreds of clients: what each would work out anew from AWS's models, and from nothing
else, is worked out once. Answers, errors, retries and connections are a client's own, as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import botocore.client
import botocore.hooks
import botocore.regions
import botocore.useragent


def quicken() -> None:
    """From now on, in this process and its forks."""
    creator, aliaser = botocore.client.ClientCreator, botocore.hooks.EventAliaser

    def copied(self: Any) -> Any:
        # the names of events are the same for all; to find one took a seventh of the time of a call
        other = aliaser(botocore.hooks.copy.copy(self._emitter), self._event_aliases)
        other._alias_name_cache = self._alias_name_cache
        return other

    aliaser.__copy__ = copied
    creator._load_service_model = once_per_service(creator._load_service_model)
    creator._create_client_class = once_per_service(creator._create_client_class)
    botocore.hooks._PrefixTrie._recursive_copy = lambda _, node: handlers_copied(node)
    botocore.regions.EndpointProvider = once_per_rules(botocore.regions.EndpointProvider)
    agent = botocore.useragent
    agent.sanitize_user_agent_string_component = lru_cache(4096)(agent.sanitize_user_agent_string_component)


def once_per_service(made: Callable[..., Any]) -> Callable[..., Any]:
    """A method of botocore's ClientCreator, of which the service's name is the first argument."""
    kept: dict[str, Any] = {}

    def once(self: Any, service: str, *rest: Any) -> Any:
        if service not in kept:
            kept[service] = made(self, service, *rest)
        return kept[service]

    return once


def once_per_rules(made: Callable[..., Any]) -> Callable[..., Any]:
    """What finds a service's endpoint by its rules, which the loader keeps."""
    kept: dict[Any, Any] = {}

    def once(ruleset_data: dict[str, Any], partition_data: dict[str, Any], excluded_params: Any = None) -> Any:
        about = id(ruleset_data), frozenset(excluded_params or ())
        if about not in kept:
            kept[about] = ruleset_data, made(ruleset_data, partition_data, excluded_params)
        return kept[about][1]

    return once


def handlers_copied(node: dict[str, Any]) -> dict[str, Any]:
    """What botocore makes of a node of the tree of a client's handlers, without asking each part how it is copied."""
    copied = {}
    for name, value in node.items():
        if type(value) is dict:
            copied[name] = handlers_copied(value)
        elif type(value) is botocore.hooks.NodeList:
            copied[name] = botocore.hooks.NodeList(*(list(one) for one in value))
        else:
            copied[name] = value
    return copied
