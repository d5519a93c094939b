"""The layer around Streamlit's server: headers, the visitor's cookie, and what is too much."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.errors import ExplorerError
from explorer.params.numerals import whole
from explorer.ui.serving.headers import headers
from explorer.ui.serving.uploads import UPLOADS
from explorer.ui.serving.visitors import PRESENT, cookie_name, issued, verified
from explorer.workbench.quotas import Quotas

_UPLOAD = "/_stcore/upload_file/"
_FILES = ("/static/", "/_stcore/", "/media/", "/component/")
# Tabs are cheap; somebody who opens them by the hundred is not let in further.
_CONNECTIONS_EACH = 10
GRACE_S = 60.0
_COOKIE = f"Path=/; Max-Age={30 * 86_400}; HttpOnly; SameSite=Lax"


def middleware() -> list[Middleware]:
    """What ``st.App`` takes."""
    return [Middleware(Guard)]


class Guard:
    """Adds the headers, names the visitor, and refuses what is over the quotas."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or one connection."""
        if scope["type"] == "websocket":
            await self._connection(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, _with_headers(send, _new_cookie(scope)))
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "PUT" or _UPLOAD not in scope["path"]:
            await self._app(scope, receive, send)
            return
        try:
            length = whole(Headers(scope=scope).get("content-length", ""))
        except ValueError:
            await PlainTextResponse("Say how long the file is (Content-Length).", 411)(scope, receive, send)
            return
        session = scope["path"].partition(_UPLOAD)[2].partition("/")[0]
        try:
            with UPLOADS.room(_visitor(scope) or f"tab {session}", session, length):
                await self._app(scope, receive, send)
        except ExplorerError as error:
            await PlainTextResponse(str(error), 413)(scope, receive, send)

    async def _connection(self, scope: Scope, receive: Receive, send: Send) -> None:
        if PRESENT.n_connections() >= Quotas.here().visitors * _CONNECTIONS_EACH:
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        visitor = _visitor(scope) or uuid.uuid4().hex
        PRESENT.arrive(visitor)
        try:
            await self._app(scope, receive, send)
        finally:
            PRESENT.leave(visitor)
            if not PRESENT.is_here(visitor):
                asyncio.get_running_loop().call_later(GRACE_S, _end_work_of, visitor)


def _end_work_of(visitor: str) -> None:
    """A closed browser leaves no work behind that nobody waits for; a reload is back long before."""
    from explorer.ui.shell import cache  # with the first page, not before: caches want a server that runs

    if not PRESENT.is_here(visitor):
        cache.jobs().abandon(visitor, PRESENT.is_here)


def _from(scope: Scope) -> tuple[str | None, str | None]:
    client = scope.get("client")
    return (client[0] if client else None), Headers(scope=scope).get("user-agent")


def _visitor(scope: Scope) -> str | None:
    cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
    return verified(cookies.get(cookie_name()), *_from(scope))


def _new_cookie(scope: Scope) -> bytes | None:
    """The cookie for who opens a page without a valid one; scripts cannot read it."""
    is_page = scope["method"] == "GET" and not any(part in scope["path"] for part in _FILES)
    if not is_page or _visitor(scope) is not None:
        return None
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{cookie_name()}={issued(*_from(scope))}; {_COOKIE}{secure}".encode("latin-1")


def _with_headers(send: Send, cookie: bytes | None) -> Callable[[Message], Awaitable[None]]:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = dict(headers())
            others = [(name, value) for name, value in message.get("headers", []) if name.lower() not in ours]
            extra = [(b"set-cookie", cookie)] if cookie else []
            message = {**message, "headers": [*others, *headers(), *extra]}
        await send(message)

    return sent
