"""The notebook's face: results that draw themselves, and the explore page as a widget.

Nothing here imports anywidget before the widget itself is asked for; results are drawn without it.
"""
