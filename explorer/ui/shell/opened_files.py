"""Which state of a file is open: a visitor goes on with that one, whatever the disk does, until it is opened again.

Without this a drawing of the page would take the new file in silence, beside numbers that were measured on the old one.
"""

from __future__ import annotations

import streamlit as st

from explorer.text.names import clean_markdown, model_name
from explorer.ui.shell import cache
from explorer.workbench.workspace import Source, Workspace

_OPEN, _ANNOUNCED = "_open_files", "_changed_files"


def stamp(address: str) -> cache.Stamp:
    """The state in which this visitor opened what is at the address: the present one where nobody has yet."""
    return _open().setdefault(address, cache.stamp(address))


def take_present(source: Source) -> dict[str, cache.Stamp]:
    """From now on the present states of the files of ``source`` count; returns those that did, for :func:`put_back`."""
    before = {address: _open().pop(address) for address in _addresses(source) if address in _open()}
    st.session_state.pop(_ANNOUNCED, None)
    return before


def put_back(stamps: dict[str, cache.Stamp]) -> None:
    """The states that counted before, count again: the present files could not be opened."""
    _open().update(stamps)


def changed(source: Source) -> list[str]:
    """The addresses of ``source`` whose files are not what was opened."""
    stamps = _open()
    return [address for address in _addresses(source) if address in stamps and stamps[address] != cache.stamp(address)]


def is_news(source: Source) -> bool:
    """Whether files changed since the last look: then the top of the page has to be drawn again, once."""
    before, now = st.session_state.get(_ANNOUNCED, []), changed(source)
    st.session_state[_ANNOUNCED] = now
    return bool(now != before)


def is_gone(address: str) -> bool:
    """Whether this visitor opened a file at the address that is not there any more."""
    return _open().get(address, cache.NOTHING) != cache.NOTHING == cache.stamp(address)


def announce(work: Workspace) -> None:
    """One line for each file that is not what was opened, with a button that opens it again."""
    addresses = changed(work.source)
    st.session_state[_ANNOUNCED] = addresses
    for address in addresses:
        name = clean_markdown(model_name(address), 60)
        gone = is_gone(address)
        what = f"**{name}** is not there any more." if gone else f"**{name}** has changed since it was opened."
        with st.container(horizontal=True, vertical_alignment="center", key=f"changed_{addresses.index(address)}"):
            st.warning(f"{what} Numbers and exports are of what was opened.", icon=":material/sync_problem:")
            if not gone:
                st.button("Open it again", key=f"again_{address}", on_click=_open_again, args=(work,))


def _open_again(work: Workspace) -> None:
    """The present files with the same request; what was tried belongs to the old ones."""
    take_present(work.source)
    spec = work.spec
    work.open(work.source)
    work.set(spec)


def _open() -> dict[str, cache.Stamp]:
    stamps: dict[str, cache.Stamp] = st.session_state.setdefault(_OPEN, {})
    return stamps


def _addresses(source: Source) -> list[str]:
    """What may be files: the model's address, and the place in the data's."""
    places = (source.model, (source.data or "").partition(":")[2])
    return [place for place in dict.fromkeys(places) if place]
