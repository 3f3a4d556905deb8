"""A process that is measured from its start: it says when it has got how far, and then how much memory it takes.

``python -P -m model.bench.first_answers``, from :mod:`model.bench.starts`.
"""

from __future__ import annotations

from model.bench.measuring import memory
from model.bench.queries import load, question


def main() -> None:
    """Print a line once the model is loaded, once a picture and once a recording is answered; at last, the bytes."""
    retriever = load()
    print("loaded", flush=True)
    for index in (0, len(retriever.gallery.image_features)):
        question(retriever, index)()
        print("answered", flush=True)
    print(memory())


if __name__ == "__main__":
    main()
