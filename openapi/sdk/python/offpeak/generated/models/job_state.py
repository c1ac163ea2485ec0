from enum import StrEnum


class JobState(StrEnum):
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    ENCODING = "encoding"
    FAILED = "failed"
    FINISHING = "finishing"
    PROBING = "probing"
    QUEUED = "queued"

    def __str__(self) -> str:
        return str(self.value)
