"""The paper's evaluation: purity of clusters, invariance to modality, retrieval across modalities, and more.

Pure functions on numpy arrays: posteriors come in, figures come out; the same seed gives the same figures.
Labels are used here to score, never to learn the encoders. Importing the package needs neither torch nor scikit-learn.
"""

from __future__ import annotations

from model.evaluation.clusters import cluster_purity, purity_of_assignment
from model.evaluation.invariance import modality_svm
from model.evaluation.judge import Partial, evaluate, evaluating
from model.evaluation.paper import PAPER_TABLE, PaperRow
from model.evaluation.posteriors import EvaluationError, LabelArray, Posteriors
from model.evaluation.proportions import clopper_pearson
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.report import Interval, Report
from model.evaluation.retrieval import precision_at_1

__all__ = [
    "PAPER_TABLE",
    "EvaluationError",
    "EvaluationProtocol",
    "Interval",
    "LabelArray",
    "PaperRow",
    "Partial",
    "Posteriors",
    "Report",
    "clopper_pearson",
    "cluster_purity",
    "evaluate",
    "evaluating",
    "modality_svm",
    "precision_at_1",
    "purity_of_assignment",
]
