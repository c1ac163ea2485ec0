from enum import StrEnum


class HolderState(StrEnum):
    ENCODING = "encoding"
    SUSPENDED = "suspended"

    def __str__(self) -> str:
        return str(self.value)
