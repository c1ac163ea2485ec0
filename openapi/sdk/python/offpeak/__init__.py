"""Client of the Offpeak API: upload, submit, wait, download.

``Offpeak`` does what takes more than one request; ``offpeak.generated.api`` has every operation, a module each.
"""

from .client import Offpeak
from .problem import JobOver, OffpeakError

__all__ = ["JobOver", "Offpeak", "OffpeakError"]
