"""Live AWS -> a capture folder: raw evidence that is complete, or says that it is not.

``credential_report``  the report itself;  ``inventory`` and ``tags``: what the account itself says
``rotations``          its secrets under rotation
``target``             one account -> its folder
``organization``       which accounts there are, and how they are entered
``folder``             the capture folder, begun, resumed, finished;  ``run``: all of it
"""

from keyaudit.capture.options import Options, Request
from keyaudit.capture.run import Capture, capture
from keyaudit.capture.target import Captured

__all__ = ["Capture", "Captured", "Options", "Request", "capture"]
