"""Many judgements -> what is concluded of a period (pure).

``snapshots``  what each evidence folder says of the keys
``lineages``   the same key over time
``timeline``   when an account was read, and when a key of it was active
``eras``       by which policy and limit each instant is judged
``breach``     for each key, how long it was beyond its limit: proved and possible
``coverage``   what was due, what was read, and which keys must have been there
``figures``    the numbers, and which key took the place of which
``conclude``   all of it -> PeriodVerdict
``anchors``    when others saw the seals of the evidence

``odds``        how sure a sample makes, exactly: sizes and upper limits
``sampling``    a population -> the sample that anybody can draw again
``evaluating``  the sample and its table, filled in -> what it says
"""

from keyaudit.period.conclude import conclude
from keyaudit.period.snapshots import SeenAccount, SeenKey, Snapshot, Window

__all__ = ["SeenAccount", "SeenKey", "Snapshot", "Window", "conclude"]
