"""The policy: TOML -> Policy (pure)."""

from keyaudit.policy.load import DEFAULT_PRESET, load_policy, parse_policy
from keyaudit.policy.terms import LIMIT_OF, Exemption, Override, Policy

__all__ = [
    "DEFAULT_PRESET",
    "LIMIT_OF",
    "Exemption",
    "Override",
    "Policy",
    "load_policy",
    "parse_policy",
]
