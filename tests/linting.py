"""Templates and workflows, read and checked: in this process, as importing the checkers takes longer than their work,
and not before it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner


def template_faults(path: Path, *options: str) -> list[str]:
    """What cfn-lint objects to in a template, warnings and informational remarks included."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    config = ConfigMixIn([*options, "--include-checks", "I", "W", "E", "--", str(path)])
    return [str(fault) for fault in Runner(config).run()]


def workflow_faults(path: Path) -> str:
    """What the schema of GitHub's workflows forbids; empty if nothing."""
    from check_jsonschema import main

    done = CliRunner().invoke(main, ["--builtin-schema", "vendor.github-workflows", str(path)])
    return done.output if done.exit_code else ""


class CloudFormationLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML with CloudFormation's short forms: ``!Sub x`` is ``{"Fn::Sub": "x"}``."""


def short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {f"Fn::{suffix}": loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.ScalarNode)
    return {"Ref" if suffix == "Ref" else f"Fn::{suffix}": loader.construct_scalar(node)}


CloudFormationLoader.add_multi_constructor("!", short_form)


def parsed(template: str) -> Any:
    return yaml.load(template, Loader=CloudFormationLoader)  # a safe loader
