"""The Explore page: drag a threshold, watch the measured accuracy."""

from explorer.ui.shell.menu import Page

PAGE = Page("explore", "Explore", ":material/tune:", "How much can go before accuracy does?", has_facts=True)
