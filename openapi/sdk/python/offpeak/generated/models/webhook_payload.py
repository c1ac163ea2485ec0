from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.webhook_event import WebhookEvent

if TYPE_CHECKING:
    from ..models.webhook_agent import WebhookAgent
    from ..models.webhook_itself import WebhookItself
    from ..models.webhook_job import WebhookJob


T = TypeVar("T", bound="WebhookPayload")


@_attrs_define
class WebhookPayload:
    """What is posted to a webhook, as `application/json`.

    Signed: `webhook-signature` holds, for each valid secret, `v1,` and the base64 of HMAC-SHA256 over
    `{webhook-id}.{webhook-timestamp}.{body}`, separated by spaces.

        Attributes:
            data (WebhookAgent | WebhookItself | WebhookJob): What it happened to, as the API showed it at that moment. For
                a job that is over, that is what it shows from then on.
            timestamp (datetime.datetime): When it happened. The header `webhook-timestamp` says when it was sent.
            type_ (WebhookEvent): What a webhook can tell of.
    """

    data: WebhookAgent | WebhookItself | WebhookJob
    timestamp: datetime.datetime
    type_: WebhookEvent
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.webhook_agent import WebhookAgent
        from ..models.webhook_job import WebhookJob

        data: dict[str, Any]
        if isinstance(self.data, WebhookJob) or isinstance(self.data, WebhookAgent):
            data = self.data.to_dict()
        else:
            data = self.data.to_dict()

        timestamp = self.timestamp.isoformat()

        type_ = self.type_.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "data": data,
                "timestamp": timestamp,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.webhook_agent import WebhookAgent
        from ..models.webhook_itself import WebhookItself
        from ..models.webhook_job import WebhookJob

        d = dict(src_dict)

        def _parse_data(data: object) -> WebhookAgent | WebhookItself | WebhookJob:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_webhook_data_webhook_job = WebhookJob.from_dict(data)

                return componentsschemas_webhook_data_webhook_job
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_webhook_data_webhook_agent = WebhookAgent.from_dict(data)

                return componentsschemas_webhook_data_webhook_agent
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_webhook_data_webhook_itself = WebhookItself.from_dict(data)

            return componentsschemas_webhook_data_webhook_itself

        data = _parse_data(d.pop("data"))

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        type_ = WebhookEvent(d.pop("type"))

        webhook_payload = cls(
            data=data,
            timestamp=timestamp,
            type_=type_,
        )

        webhook_payload.additional_properties = d
        return webhook_payload

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
