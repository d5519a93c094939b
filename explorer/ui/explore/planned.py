"""What the present request makes of the model, remembered from one drawing to the next: nothing of it is made twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import streamlit as st

from explorer.analysis import collapse
from explorer.export.sizes import file_sizes
from explorer.metrics.size import compression_ratio, parameters
from explorer.metrics.sparsity_support import advice
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Finding, LoadedModel, Measurement, Plan, Scores

_LAST = "_last_plan"


@dataclass(eq=False)
class Planned:
    """A plan with what is counted on it; of a model of many layers each costs more than the rest of a drawing."""

    model: LoadedModel
    spec: PruneSpec
    scores: Scores
    plan: Plan

    @cached_property
    def sizes(self) -> Mapping[str, Measurement]:
        """Bytes by kind of file."""
        return file_sizes(self.model, self.plan)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is known before anything is measured."""
        return tuple(collapse.before(self.model, self.plan))

    @cached_property
    def counts(self) -> Mapping[str, Measurement]:
        """Parameters by kind, and the compression ratio under its own name."""
        ratio = compression_ratio(self.model, self.plan)
        return {**parameters(self.model, self.plan), ratio.name: ratio}

    @cached_property
    def advice(self) -> tuple[str, ...]:
        """What the zeros are good for."""
        return advice(self.plan)

    def is_of(self, model: LoadedModel, spec: PruneSpec, scores: Scores) -> bool:
        """Whether it is what this request makes of this model."""
        return self.model is model and self.scores is scores and self.spec == spec


def planned(model: LoadedModel, spec: PruneSpec, scores: Scores) -> Planned:
    """The plan of this request; this visitor's last one where it is the same. Raises ExplorerError as a plan does."""
    last: Planned | None = st.session_state.get(_LAST)
    if last is None or not last.is_of(model, spec, scores):
        last = Planned(model, spec, scores, make_plan(model, spec, scores))
        st.session_state[_LAST] = last
    return last
