from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..models.file_container import FileContainer
from ..types import UNSET, Unset

T = TypeVar("T", bound="FileProfile")


@_attrs_define
class FileProfile:
    """
    Attributes:
        container (FileContainer):
        name (str): The file's name in the job's outputs, such as `film.mp4`.
        height (int | None | Unset): The rung to take, by `height`; the highest when absent.
    """

    container: FileContainer
    name: str
    height: int | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        container = self.container.value

        name = self.name

        height: int | None | Unset
        if isinstance(self.height, Unset):
            height = UNSET
        else:
            height = self.height

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "container": container,
                "name": name,
            }
        )
        if height is not UNSET:
            field_dict["height"] = height

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        container = FileContainer(d.pop("container"))

        name = d.pop("name")

        def _parse_height(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        height = _parse_height(d.pop("height", UNSET))

        file_profile = cls(
            container=container,
            name=name,
            height=height,
        )

        return file_profile
