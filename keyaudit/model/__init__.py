"""The values that rooms share, frozen and typed; nothing heavy is imported.

``population``  where reports come from, which accounts were expected
``provenance``  for one account: Provenance, its Completeness and Differences
``rotated``     secrets under rotation, what was seen of them, the verdict
``progress``    how progress is shown to whoever waits
``folders``     evidence folders as their manifests describe them
``proved``      evidence that verified, and what follows from it
``sampled``     a sample for the auditor's own test, and what its filled table says
``audit``       a judgement, complete (its ``accounts`` as a frame: ``accounts_frame``)
"""

from keyaudit.model.audit import Audit, ExemptionUse
from keyaudit.model.population import Origin, Population, Skipped
from keyaudit.model.progress import Progress
from keyaudit.model.proved import Advice, Call, Proved, SealedFile
from keyaudit.model.provenance import ORGANIZATION, Completeness, Difference, Provenance, called, names_of
from keyaudit.model.rotated import Line, RotatedKey, RotatedSecret, RotationVerdict, Version

__all__ = [
    "ORGANIZATION",
    "Advice",
    "Audit",
    "Call",
    "Completeness",
    "Difference",
    "ExemptionUse",
    "Line",
    "Origin",
    "Population",
    "Progress",
    "Proved",
    "Provenance",
    "RotatedKey",
    "RotatedSecret",
    "RotationVerdict",
    "SealedFile",
    "Skipped",
    "Version",
    "called",
    "names_of",
]
