from enum import StrEnum


class AgentState(StrEnum):
    BROKEN = "broken"
    BUSY_CPU = "busy_cpu"
    BUSY_MEMORY = "busy_memory"
    DRAINING = "draining"
    ENCODING = "encoding"
    LEASING = "leasing"
    METERED = "metered"
    NO_SERVER = "no_server"
    OFFLINE = "offline"
    OFF_SCHEDULE = "off_schedule"
    ON_BATTERY = "on_battery"
    PAUSED = "paused"
    PRESENTING = "presenting"
    REVOKED = "revoked"
    SET_ASIDE = "set_aside"
    SNOOZED = "snoozed"
    SUSPENDED = "suspended"
    UPDATING = "updating"
    USER_ACTIVE = "user_active"
    WAITING = "waiting"

    def __str__(self) -> str:
        return str(self.value)
