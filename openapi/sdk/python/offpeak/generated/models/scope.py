from enum import StrEnum


class Scope(StrEnum):
    ADMIN = "admin"
    AGENTSREAD = "agents:read"
    AGENTSWRITE = "agents:write"
    JOBSREAD = "jobs:read"
    JOBSWRITE = "jobs:write"
    TOKENSWRITE = "tokens:write"
    UPLOADSWRITE = "uploads:write"
    WEBHOOKSREAD = "webhooks:read"
    WEBHOOKSWRITE = "webhooks:write"

    def __str__(self) -> str:
        return str(self.value)
