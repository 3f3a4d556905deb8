"""Judging a model takes a moment, and so do the few snapshots: one penalty for the SVM, one start of K-means…"""


def shorten(setattr=setattr):
    """Shorten evaluations in this process, by ``setattr`` or the one of a monkeypatch."""
    from model.evaluation import clusters, invariance, judge
    from model.retrieval import projection
    from model.runs import snapshots

    setattr(invariance, "SVM_PENALTIES", [1.0])
    for module in (invariance, judge):
        setattr(module, "PAPER_UTTERANCES", 60)
    setattr(projection, "_EARLY", 25)
    setattr(projection, "_LATE", 50)
    setattr(snapshots, "_ITERATIONS", 25)
    setattr(snapshots, "_FOLDS", 2)
    setattr(snapshots, "SNAPSHOTS", 5)
    setattr(clusters, "_STARTS", 1)
