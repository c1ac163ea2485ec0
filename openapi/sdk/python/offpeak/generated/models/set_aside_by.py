from enum import StrEnum


class SetAsideBy(StrEnum):
    DISTRUST = "distrust"
    FAILURES = "failures"
    PERSON = "person"

    def __str__(self) -> str:
        return str(self.value)
