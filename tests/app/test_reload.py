"""A page that Streamlit cannot draw any more comes back by itself, with its setting, and says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, WebSocket, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOTE = "The page could not be drawn and was loaded again; your setting is as it was."


def nowhere() -> bytes:
    """A message to draw at a place that no page has: Streamlit takes the page away."""
    message = ForwardMsg()
    message.metadata.delta_path.extend([0, 99, 3])
    message.delta.new_element.empty.SetInParent()
    return message.SerializeToString()


def unread() -> bytes:
    """A reference to a message that no browser holds: Streamlit ends the connection."""
    message = ForwardMsg(ref_hash="absent")
    message.metadata.delta_path.extend([0, 0])
    return message.SerializeToString()


def connected(screen: Screen) -> list[WebSocketRoute]:
    """The connections that the page opens from now on, the latest last."""
    sockets: list[WebSocketRoute] = []

    def route(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    screen.page.route_web_socket("**/_stcore/stream", route)
    return sockets


@pytest.mark.parametrize("message", [nowhere, unread])
def test_a_page_that_cannot_be_drawn_comes_back_with_its_setting_and_says_so(
    chromium: Browser, app: str, message: Callable[[], bytes]
) -> None:
    context = chromium.new_context(viewport={"width": 1316, "height": 923})
    screen = Screen(context.new_page(), app)
    sockets = connected(screen)
    screen.open(model="digits-mlp")
    screen.preset("80%", "80.0%")
    before = screen.spec, screen.numbers

    sockets[-1].send(message())
    expect(screen.page.get_by_text(NOTE)).to_be_visible()
    screen.settled()

    assert (screen.spec, screen.numbers) == before
    screen.page.get_by_role("button", name="Close").click()
    expect(screen.page.get_by_text(NOTE)).to_have_count(0)
    context.close()


def test_no_message_to_a_page_is_replaced_by_a_reference_to_an_older_one(visit: Visit) -> None:
    """Streamlit drops the messages of a run that is overtaken, but not its references: they stand alone then."""
    screen = visit()
    received: list[bytes | str] = []
    sent: list[bytes | str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(frame))
        socket.on("framesent", lambda frame: sent.append(frame))

    screen.page.on("websocket", listen)
    screen.open(model="digits-mlp")
    for preset, shown in (("50%", "50.0%"), ("80%", "80.0%")):
        screen.preset(preset, shown)

    answers = [ForwardMsg.FromString(frame) for frame in received if isinstance(frame, bytes)]
    requests = [BackMsg.FromString(frame) for frame in sent if isinstance(frame, bytes)]
    assert max(len(answer.SerializeToString()) for answer in answers) > 20_000  # large enough to be worth one
    assert {answer.ref_hash for answer in answers} == {""}
    assert {held for request in requests for held in request.rerun_script.cached_message_hashes} == set()
