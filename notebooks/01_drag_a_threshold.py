"""Drag a threshold, as a marimo app: marimo run notebooks/01_drag_a_threshold.py"""

import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo

    import explorer as ex

    return ex, mo


@app.cell
def _(mo):
    mo.md(
        "# Drag a threshold\n\nGrey bars are removed, coloured bars stay; the accuracy is measured while a line moves."
    )


@app.cell
def _(ex, mo):
    widget = mo.ui.anywidget(ex.explore("digits-resnet"))
    widget
    return (widget,)


@app.cell
def _(ex, mo, widget):
    spec = ex.PruneSpec.from_json(widget.value["spec"])
    mo.md(f"`{spec!r}`")


if __name__ == "__main__":
    app.run()
