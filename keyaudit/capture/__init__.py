"""Live AWS -> a capture folder: raw evidence complete or honest about it.

``report``        the credential report;  ``inventory`` and ``owners``: what the account itself says
``account``       one account -> its folder
``organization``  which accounts there are, and how they are entered
``folder``        the capture folder, begun, resumed, finished;  ``run``: all of it
"""

from keyaudit.capture.account import Captured, Options
from keyaudit.capture.request import Request
from keyaudit.capture.run import Capture, capture

__all__ = ["Capture", "Captured", "Options", "Request", "capture"]
