from enum import StrEnum


class SourceState(StrEnum):
    DELETED = "deleted"
    READY = "ready"
    UPLOADING = "uploading"

    def __str__(self) -> str:
        return str(self.value)
