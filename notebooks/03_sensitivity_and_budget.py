"""Which layers can be pruned, and how far? As a marimo app: marimo run notebooks/03_sensitivity_and_budget.py"""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import marimo as mo

    import explorer as ex
    from explorer.charts import search, sensitivity

    model = ex.load("digits-cnn")
    return ex, mo, model, search, sensitivity


@app.cell
def _(ex, mo, model, sensitivity):
    scan = ex.Sensitivity.of(ex.scan(model, levels=(0.5, 0.8, 0.9, 0.95), progress=False))
    mo.vstack([mo.md("# What each layer costs alone"), sensitivity.heatmap(scan, scan.groups, scan.levels)])
    return (scan,)


@app.cell
def _(mo):
    share = mo.ui.slider(0.1, 1.0, 0.1, value=0.5, label="Parameters that may stay, as a share of all")
    share
    return (share,)


@app.cell
def _(ex, mo, model, scan, search, share):
    tried = ex.search(model, budget={"params": share.value}, cells=scan.cells, evaluations=12, progress=False)
    result = ex.SearchResult.of(tried)
    mo.vstack([mo.md(f"## The most accurate network within that budget\n\n{result!r}"), search.search(result)])


if __name__ == "__main__":
    app.run()
