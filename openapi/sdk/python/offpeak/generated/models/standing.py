from enum import StrEnum


class Standing(StrEnum):
    ACTIVE = "active"
    DRAINING = "draining"
    REVOKED = "revoked"
    SET_ASIDE = "set_aside"

    def __str__(self) -> str:
        return str(self.value)
