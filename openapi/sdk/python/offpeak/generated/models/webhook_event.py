from enum import StrEnum


class WebhookEvent(StrEnum):
    AGENT_ENROLLED = "agent.enrolled"
    AGENT_QUARANTINED = "agent.quarantined"
    JOB_CANCELLED = "job.cancelled"
    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"
    JOB_PLAYABLE = "job.playable"
    WEBHOOK_TEST = "webhook.test"

    def __str__(self) -> str:
        return str(self.value)
