from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.link_kind import LinkKind

T = TypeVar("T", bound="CreatedLink")


@_attrs_define
class CreatedLink:
    """A link that is told this once; whoever opens it first has it.

    Example:
        {'email': 'ada@example.com', 'expires_at': '2026-11-26T08:00:00Z', 'kind': 'reset', 'url':
            'https://video.example.com/reset?code=ofl_abcdefghijklmnopqrstuvwxyz234567'}

    Attributes:
        email (str):
        expires_at (datetime.datetime):
        kind (LinkKind): What a link is for.
        url (str):
    """

    email: str
    expires_at: datetime.datetime
    kind: LinkKind
    url: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        email = self.email

        expires_at = self.expires_at.isoformat()

        kind = self.kind.value

        url = self.url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "email": email,
                "expires_at": expires_at,
                "kind": kind,
                "url": url,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        email = d.pop("email")

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        kind = LinkKind(d.pop("kind"))

        url = d.pop("url")

        created_link = cls(
            email=email,
            expires_at=expires_at,
            kind=kind,
            url=url,
        )

        created_link.additional_properties = d
        return created_link

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
