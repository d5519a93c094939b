"""What all charts share: transparent ground, quiet axes, a compact legend, no tool bar."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.charts.theme import Theme
from explorer.types.aliases import JsonDict

# For whoever shows a figure: st.plotly_chart(figure, config=CONFIG), figure.show(config=CONFIG).
CONFIG: JsonDict = {"displayModeBar": False, "displaylogo": False, "responsive": True, "scrollZoom": False}


def axis(theme: Theme, title: str = "", *, grid: bool = False, **more: object) -> JsonDict:
    """One axis: labels in the muted colour, and lines only where they help to read a value."""
    quiet = {
        "title": {"text": title, "font": {"color": theme.muted, "size": 12}, "standoff": 8},
        "tickfont": {"color": theme.muted, "size": 12},
        "showgrid": grid,
        "gridcolor": theme.grid,
        "gridwidth": 1,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "fixedrange": True,
        "automargin": True,
    }
    return quiet | more


def framed(theme: Theme, *, height: int, x: JsonDict, y: JsonDict, **more: object) -> go.Figure:
    """An empty figure in this theme, ready for traces."""
    layout = {
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": theme.font, "color": theme.text, "size": 12},
        "margin": {"l": 8, "r": 12, "t": 34, "b": 8},
        "legend": legend(theme),
        "hoverlabel": {
            "bgcolor": theme.background,
            "bordercolor": theme.grid,
            "font": {"color": theme.text, "size": 12, "family": theme.font},
            "align": "left",
        },
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": x,
        "yaxis": y,
        # Without this the template would bring back coloured grounds and grids.
        "template": None,
    }
    return go.Figure(layout=layout | more)


def legend(theme: Theme) -> JsonDict:
    """One line above the chart, at its left."""
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1.02,
        "yanchor": "bottom",
        "font": {"color": theme.muted, "size": 12},
        "bgcolor": "rgba(0,0,0,0)",
        "itemwidth": 30,
        "tracegroupgap": 0,
    }


def empty(theme: Theme, sentence: str, *, height: int = 200) -> go.Figure:
    """A chart that has nothing to show yet, and says so; ``sentence`` is escaped already."""
    hidden = {"visible": False}
    figure = framed(theme, height=height, x=hidden, y=hidden)
    figure.add_annotation(
        text=sentence,
        showarrow=False,
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        font={"color": theme.muted, "size": 13},
    )
    return figure


def note(figure: go.Figure, theme: Theme, sentence: str) -> None:
    """Small print below the chart; ``sentence`` is escaped already, ``<br>`` begins a new line."""
    figure.add_annotation(
        text=sentence,
        showarrow=False,
        xref="paper",
        yref="paper",
        x=0,
        y=0,
        xanchor="left",
        yanchor="top",
        yshift=-38,
        align="left",
        font={"color": theme.muted, "size": 11},
    )
    n_lines = 1 + sentence.count("<br>")
    figure.update_layout(margin_b=max(figure.layout.margin.b or 0, 40 + 16 * n_lines))
