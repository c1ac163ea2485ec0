from http import HTTPStatus
from io import BytesIO
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...types import UNSET, File, Response, Unset


def _get_kwargs(
    job: str,
    path: str,
    *,
    expires: int | Unset = UNSET,
    signature: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["expires"] = expires

    params["signature"] = signature

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/media/{job}/{path}".format(
            job=quote(str(job), safe=""),
            path=quote(str(path), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Any | File | Problem | None:
    if response.status_code == 200:
        response_200 = File(payload=BytesIO(response.content))

        return response_200

    if response.status_code == 206:
        response_206 = File(payload=BytesIO(response.content))

        return response_206

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

    if response.status_code == 307:
        response_307 = cast(Any, None)
        return response_307

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 410:
        response_410 = Problem.from_dict(response.json())

        return response_410

    if response.status_code == 412:
        response_412 = Problem.from_dict(response.json())

        return response_412

    if response.status_code == 416:
        response_416 = Problem.from_dict(response.json())

        return response_416

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | File | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    job: str,
    path: str,
    *,
    client: AuthenticatedClient | Client,
    expires: int | Unset = UNSET,
    signature: str | Unset = UNSET,
) -> Response[Any | File | Problem]:
    """Play media

     `multivariant.m3u8` (HLS), `manifest.mpd` (DASH), `{rendition}.m3u8`, and what they name. Public by
    the unguessable id,
    or by a signed address if the profile says `"access": "signed"`; what playlists name is then signed
    as they are.
    Ranges, entity tags and requests from other origins are answered. `?download` suggests a file name.
    Where storage is a
    bucket, segments and files are answered with a redirect to it, or to the CDN on it.

    Args:
        job (str):
        path (str):
        expires (int | Unset):
        signature (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | File | Problem]
    """

    kwargs = _get_kwargs(
        job=job,
        path=path,
        expires=expires,
        signature=signature,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    job: str,
    path: str,
    *,
    client: AuthenticatedClient | Client,
    expires: int | Unset = UNSET,
    signature: str | Unset = UNSET,
) -> Any | File | Problem | None:
    """Play media

     `multivariant.m3u8` (HLS), `manifest.mpd` (DASH), `{rendition}.m3u8`, and what they name. Public by
    the unguessable id,
    or by a signed address if the profile says `"access": "signed"`; what playlists name is then signed
    as they are.
    Ranges, entity tags and requests from other origins are answered. `?download` suggests a file name.
    Where storage is a
    bucket, segments and files are answered with a redirect to it, or to the CDN on it.

    Args:
        job (str):
        path (str):
        expires (int | Unset):
        signature (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | File | Problem
    """

    return sync_detailed(
        job=job,
        path=path,
        client=client,
        expires=expires,
        signature=signature,
    ).parsed


async def asyncio_detailed(
    job: str,
    path: str,
    *,
    client: AuthenticatedClient | Client,
    expires: int | Unset = UNSET,
    signature: str | Unset = UNSET,
) -> Response[Any | File | Problem]:
    """Play media

     `multivariant.m3u8` (HLS), `manifest.mpd` (DASH), `{rendition}.m3u8`, and what they name. Public by
    the unguessable id,
    or by a signed address if the profile says `"access": "signed"`; what playlists name is then signed
    as they are.
    Ranges, entity tags and requests from other origins are answered. `?download` suggests a file name.
    Where storage is a
    bucket, segments and files are answered with a redirect to it, or to the CDN on it.

    Args:
        job (str):
        path (str):
        expires (int | Unset):
        signature (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | File | Problem]
    """

    kwargs = _get_kwargs(
        job=job,
        path=path,
        expires=expires,
        signature=signature,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    job: str,
    path: str,
    *,
    client: AuthenticatedClient | Client,
    expires: int | Unset = UNSET,
    signature: str | Unset = UNSET,
) -> Any | File | Problem | None:
    """Play media

     `multivariant.m3u8` (HLS), `manifest.mpd` (DASH), `{rendition}.m3u8`, and what they name. Public by
    the unguessable id,
    or by a signed address if the profile says `"access": "signed"`; what playlists name is then signed
    as they are.
    Ranges, entity tags and requests from other origins are answered. `?download` suggests a file name.
    Where storage is a
    bucket, segments and files are answered with a redirect to it, or to the CDN on it.

    Args:
        job (str):
        path (str):
        expires (int | Unset):
        signature (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | File | Problem
    """

    return (
        await asyncio_detailed(
            job=job,
            path=path,
            client=client,
            expires=expires,
            signature=signature,
        )
    ).parsed
