from enum import StrEnum


class LosslessMode(StrEnum):
    LOSSLESS = "lossless"

    def __str__(self) -> str:
        return str(self.value)
