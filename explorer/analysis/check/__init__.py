"""What is looked at before a model is deployed? One file a check; to add one: a file and a line here."""

from __future__ import annotations

from explorer.analysis.check.accuracy import AccuracyNotInferior
from explorer.analysis.check.base import CheckRule
from explorer.analysis.check.calibration import Calibration
from explorer.analysis.check.changed import ChangedAnswers
from explorer.analysis.check.classes import EveryClass
from explorer.analysis.check.corruptions import Corruptions
from explorer.analysis.check.cost import Cost
from explorer.analysis.check.dead import DeadOrConstant
from explorer.analysis.check.disparity import Disparity
from explorer.analysis.check.generalisation import Generalisation
from explorer.analysis.check.language import LanguageModels
from explorer.analysis.check.operating import OperatingPoint
from explorer.analysis.check.parity import Parity
from explorer.analysis.check.probabilities import Probabilities
from explorer.analysis.check.provenance import ProvenanceCheck
from explorer.analysis.check.slices import Slices
from explorer.params import Registry

MEMBERS: tuple[type[CheckRule], ...] = (
    *(AccuracyNotInferior, ChangedAnswers, EveryClass, Disparity),
    *(Probabilities, Calibration, OperatingPoint),
    *(Corruptions, Slices, Generalisation),
    LanguageModels,
    *(DeadOrConstant, Parity, Cost, ProvenanceCheck),
)
CHECKS: Registry[CheckRule] = Registry("check", MEMBERS)
