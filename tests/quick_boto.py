"""boto3 for processes that make hundreds of clients: what each would work out anew from AWS's models, and from nothing
else, is worked out once. Answers, errors, retries and connections are a client's own, as ever; and at nightly depth
all is boto3's own but for the models, which are read once.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import boto3
import botocore.client
import botocore.hooks
import botocore.regions
import botocore.session
import botocore.useragent
from botocore.compat import accepts_kwargs


def quicken(*services: str) -> None:
    """From now on, in this process and its forks; the models of these services are read."""
    botocore.session.create_loader = cache(botocore.session.create_loader)
    if os.environ.get("KEYAUDIT_DEPTH") != "nightly":
        _work_out_once()
    for service in services:
        client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.can_paginate(next(iter(client.meta.method_to_api_mapping)))


def _work_out_once() -> None:
    creator, hooks, agent = botocore.client.ClientCreator, botocore.hooks, botocore.useragent
    # the names of events are the same for all; to find them took a seventh of the time of a call
    hooks.EventAliaser._alias_event_name = cached_by_name(hooks.EventAliaser._alias_event_name)
    hooks._PrefixTrie._recursive_copy = lambda _, node: handlers_copied(node)
    hooks.accepts_kwargs = takes_any
    creator._load_service_model = cached_by_name(creator._load_service_model)
    creator._create_client_class = cached_by_name(creator._create_client_class)
    botocore.regions.EndpointProvider = once_per_rules(botocore.regions.EndpointProvider)
    agent.sanitize_user_agent_string_component = lru_cache(4096)(agent.sanitize_user_agent_string_component)


def cached_by_name(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method whose first argument, a name, decides what it answers, whichever object is asked."""
    kept: dict[str, Any] = {}

    def answer(self: Any, name: str, *rest: Any) -> Any:
        if name not in kept:
            kept[name] = method(self, name, *rest)
        return kept[name]

    return answer


def takes_any(handler: Any) -> bool:
    """Whether a handler takes any named argument: functions say so themselves."""
    code = getattr(handler, "__code__", None)
    return bool(code.co_flags & inspect.CO_VARKEYWORDS if code else accepts_kwargs(handler))


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
