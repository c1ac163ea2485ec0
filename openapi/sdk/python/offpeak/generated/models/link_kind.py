from enum import StrEnum


class LinkKind(StrEnum):
    INVITATION = "invitation"
    RESET = "reset"
    SETUP = "setup"

    def __str__(self) -> str:
        return str(self.value)
