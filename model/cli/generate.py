"""``modinv generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli.console import notes, print_note, report_errors
from model.cli.options import bad_option

if TYPE_CHECKING:
    from model.generation.generator import Generator
    from model.types import FloatArray

PICTURES, SOUNDS = (".png",), (".wav", ".flac", ".ogg")


def generate(
    to: Annotated[Path, typer.Option("--to", help="Picture (.png) or sound (.wav, .flac, .ogg) to write.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="A picture of a digit, or a recording of a spoken digit.")
    ] = None,
    between: Annotated[
        tuple[str, str] | None,
        typer.Option("--walk", metavar="A B", help="Two digits, pictures or recordings, to go from one to the other."),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option(help="Number of random digits, from posteriors of the shipped gallery.", min=1, max=1000),
    ] = None,
    prior: Annotated[
        int | None,
        typer.Option(help="Number of samples of the prior N(0, I), mostly far from any digit.", min=1, max=1000),
    ] = None,
    steps: Annotated[int, typer.Option(help="Number of embeddings of a walk, both ends included.", min=2, max=100)] = 9,
    seed: Annotated[int, typer.Option(help="Fixes what is random.", min=0)] = 0,
    model: Annotated[
        Path | None, typer.Option(help="A model with decoders; by default the shipped one.", dir_okay=False)
    ] = None,
) -> None:
    """Generate pictures or speech that nobody drew or said.

    From an input of either modality, on the way between two inputs, or at random.
    """
    with report_errors():
        from model import locations

        if sum(choice is not None for choice in (source, between, random, prior)) != 1:
            raise typer.BadParameter("Choose one of --from, --walk, --random and --prior.")
        if to.suffix.lower() not in PICTURES + SOUNDS:
            raise typer.BadParameter(f"Choose a file that ends with {', '.join(PICTURES + SOUNDS)}.", param_hint="--to")
        with notes().status("Loading the model"):
            from model.generation.generator import Generator, draw_from_prior, walk
            from model.retrieval.gallery import Gallery

            generator = Generator.load(model or locations.shipped_decoders())
        if source is not None:
            embeddings = generator.embed_file(source)[None]
        elif between is not None:
            start, end = (_end_of_walk(generator, end) for end in between)
            embeddings = walk(start, end, steps)
        elif random is not None:
            embeddings = generator.draw_from_posteriors(Gallery.load(locations.shipped_gallery()), random, seed)
        else:
            embeddings = draw_from_prior(prior or 1, seed)
        _write(generator, embeddings, to)
    print_note(f"Written: {to}")


def _end_of_walk(generator: Generator, end: str) -> FloatArray:
    """The embedding of a file, or of the first image of a digit in the shipped gallery."""
    from model import locations
    from model.retrieval.gallery import Gallery

    if end in tuple("0123456789"):
        gallery = Gallery.load(locations.shipped_gallery())
        return generator.embed_item(gallery, next(item.index for item in gallery.items if item.label == int(end)))
    with bad_option("--walk"):
        return generator.embed_file(Path(end))


def _write(generator: Generator, embeddings: FloatArray, to: Path) -> None:
    from model.generation.files import write_pictures, write_sounds

    if to.suffix.lower() in PICTURES:
        write_pictures(to, generator.pictures(embeddings))
    else:
        write_sounds(to, generator.sounds(embeddings), generator.sample_rate)
