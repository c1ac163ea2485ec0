from enum import StrEnum


class Access(StrEnum):
    PUBLIC = "public"
    SIGNED = "signed"

    def __str__(self) -> str:
        return str(self.value)
