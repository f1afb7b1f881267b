"""The policy: TOML -> Policy (pure)."""

from keyaudit.policy.load import DEFAULT_PRESET, load_policy, parse_policy
from keyaudit.policy.terms import Exemption, Override, Policy, label_of

__all__ = [
    "DEFAULT_PRESET",
    "Exemption",
    "Override",
    "Policy",
    "label_of",
    "load_policy",
    "parse_policy",
]
