from enum import StrEnum


class Wall(StrEnum):
    FILES = "files"
    NETWORK = "network"
    RESOURCES = "resources"
    SYSTEM_CALLS = "system_calls"

    def __str__(self) -> str:
        return str(self.value)
