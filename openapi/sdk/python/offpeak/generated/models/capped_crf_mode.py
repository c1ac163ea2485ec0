from enum import StrEnum


class CappedCrfMode(StrEnum):
    CAPPED_CRF = "capped_crf"

    def __str__(self) -> str:
        return str(self.value)
