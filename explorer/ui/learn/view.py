"""Everything one drawing of a step shows, and what the learner has answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from explorer.errors import ExplorerError
from explorer.lessons.languages import Translate, english
from explorer.lessons.lesson import Answer, Lesson
from explorer.lessons.outcome import checked_answer
from explorer.types import Dataset, LoadedModel
from explorer.workbench.workspace import Workspace


@dataclass(eq=False)
class LessonView:
    """One drawing of a step. ``answers`` are the locked predictions, those that a link says wrongly left out; ``t`` is
    the language of what is said."""

    work: Workspace
    lesson: Lesson
    model: LoadedModel
    dataset: Dataset | None
    t: Translate = english
    answers: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for prediction in self.lesson.predictions:
            if prediction.key in self.work.place.answers:
                try:
                    given = self.work.place.answers[prediction.key]
                    self.answers[prediction.key] = checked_answer(prediction.form, given)
                except ExplorerError:  # a link that was made up: the question is open again
                    del self.work.place.answers[prediction.key]

    def key(self, block: str) -> str:
        """The key of a widget of this block."""
        return f"learn_{self.lesson.name}_{block}"

    def lock(self, block: str, answer: Answer) -> None:
        """Lock a prediction, once."""
        self.work.place.answers.setdefault(block, list(answer) if isinstance(answer, tuple) else answer)
