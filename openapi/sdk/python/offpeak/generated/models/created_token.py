from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.token import Token


T = TypeVar("T", bound="CreatedToken")


@_attrs_define
class CreatedToken:
    """A new token with its secret, which is told this once and kept nowhere.

    Attributes:
        secret (str): Sent as `Authorization: Bearer SECRET`. Example: ofp_abcdefghijklmnopqrstuvwxyz234567.
        token (Token): A token, without its secret. Example: {'created_at': '2026-11-02T08:00:00Z', 'expires_at':
            '2027-11-02T08:00:00Z', 'id': 'token_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'last_used_at': '2026-11-25T09:31:00Z',
            'name': 'intranet', 'scopes': ['jobs:read', 'jobs:write', 'uploads:write'], 'team':
            'team_01J8ZC5V2M0N6QW3T7RX9KPEHD'}.
    """

    secret: str
    token: Token
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        secret = self.secret

        token = self.token.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "secret": secret,
                "token": token,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.token import Token

        d = dict(src_dict)
        secret = d.pop("secret")

        token = Token.from_dict(d.pop("token"))

        created_token = cls(
            secret=secret,
            token=token,
        )

        created_token.additional_properties = d
        return created_token

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
