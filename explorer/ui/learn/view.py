"""Everything one drawing of a step shows, and what the learner has answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from explorer.classroom import Lead
from explorer.errors import ExplorerError
from explorer.lessons.languages import Translate, english
from explorer.lessons.lesson import Answer, Lesson
from explorer.lessons.outcome import checked_answer
from explorer.types import Dataset, LoadedModel
from explorer.ui.learn import membership
from explorer.workbench.workspace import Workspace


@dataclass(eq=False)
class LessonView:
    """One drawing of a step. ``answers`` are the locked predictions, those that a link says wrongly left out; ``t`` is
    the language of what is said, ``lead`` what the teacher of a class has set."""

    work: Workspace
    lesson: Lesson
    model: LoadedModel
    dataset: Dataset | None
    t: Translate = english
    lead: Lead = field(default_factory=Lead)
    answers: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for prediction in self.lesson.predictions:
            if prediction.key in self.work.place.answers:
                try:
                    given = self.work.place.answers[prediction.key]
                    self.answers[prediction.key] = checked_answer(prediction.form, given)
                except ExplorerError:  # a link that was made up: the question is open again
                    del self.work.place.answers[prediction.key]

    @property
    def hide(self) -> tuple[str, ...]:
        """The controls that the link or the teacher hides."""
        return (*self.work.place.hide, *self.lead.hide)

    @property
    def is_frozen(self) -> bool:
        """Whether the teacher has paused the class."""
        return self.lead.is_frozen

    @property
    def is_led(self) -> bool:
        """Whether the teacher says which step is on the screen."""
        return bool(self.lead.activity)

    @property
    def holds_back(self) -> bool:
        """Whether measurements wait until the teacher reveals them."""
        return self.is_led and not self.lead.is_revealed

    def key(self, block: str) -> str:
        """The key of a widget of this block."""
        return f"learn_{self.lesson.name}_{block}"

    def lock(self, block: str, answer: Answer) -> None:
        """Lock a prediction, once; in a class it goes there, too."""
        if membership.send(self.work, block, answer, is_reason=False):
            self.work.place.answers.setdefault(block, list(answer) if isinstance(answer, tuple) else answer)
