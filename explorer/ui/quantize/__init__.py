"""The Quantize page: pruning and number formats together."""

from explorer.ui.shell.menu import Page

PAGE = Page("quantize", "Quantize", ":material/compress:", "How much do pruning and few bits save together?")
