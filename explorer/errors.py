"""The one error that people are meant to read, and the same as an answer to the question why something cannot be."""

from __future__ import annotations

from dataclasses import dataclass


class ExplorerError(Exception):
    """A mistake the user can correct: what happened, why, and what to do about it.

    Screens and the command line print it as one sentence after another and never
    with a traceback. Anything that is not an ``ExplorerError`` is a bug of ours.
    ``why`` may be the answer of a ``why_not``.

    Examples:
        >>> import explorer as ex
        >>> try:
        ...     ex.load("digits-cn")
        ... except ex.ExplorerError as error:
        ...     print(error.what)
        'digits-cn' is not the address of a model that can be opened.
    """

    def __init__(self, what: str, *, why: str | Refusal | None = "", fix: str = "") -> None:
        self.what = what
        self.why = str(why or "")
        self.fix = fix
        super().__init__(" ".join(filter(None, (what, self.why, fix))))


def clean(text: str, limit: int | None = 80) -> str:
    """One line without control, direction or other invisible characters, cut in the middle where it is long."""
    if limit is not None and len(text) > limit:
        head = limit // 2
        text = f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


@dataclass(frozen=True)
class Refusal:
    """The answer of a ``why_not`` where something cannot be done: what, why, and what to do about it."""

    what: str
    why: str = ""
    fix: str = ""

    @classmethod
    def of(cls, error: ExplorerError) -> Refusal:
        """What an error says."""
        return cls(error.what, error.why, error.fix)

    @property
    def reason(self) -> str:
        """What and why in one line, for places where nothing can be done about it."""
        return " ".join(filter(None, (self.what, self.why)))

    def error(self) -> ExplorerError:
        """The same, to be raised by whoever does it nevertheless."""
        return ExplorerError(self.what, why=self.why, fix=self.fix)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.what, self.why, self.fix)))


# torch raises a RuntimeError where memory is used up, of the processor ("can't allocate") as of an accelerator.
_WORDS_OF_TORCH = ("can't allocate memory", "out of memory")


def out_of_memory(error: BaseException) -> ExplorerError | None:
    """What to say of an error that means that memory was used up, which is no bug; None for every other error."""
    of_torch = isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS_OF_TORCH)
    if not of_torch and not isinstance(error, MemoryError):
        return None
    why = "What was finished before is there."
    fix = "Take fewer samples or a smaller batch, or end what else takes memory, and go on."
    return ExplorerError("The memory of this machine was not enough.", why=why, fix=fix)
