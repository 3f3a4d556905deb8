"""Speech Commands: short words by some 2,600 speakers on their own microphones. Neither shipped nor downloaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from model.data.corpora.base import CorpusInfo, MissingData, Split
from model.data.corpora.speech_corpus import SpeechCorpus, Utterance
from model.types import WORDS, Modality

_LISTS: dict[str, Split] = {"validation_list.txt": "validation", "testing_list.txt": "test"}
_MAX_LIST = 16 << 20  # bytes
_FILE = r"(?P<speaker>[0-9a-f]{1,16})_nohash_(?P<number>[0-9]{1,9})\.wav)\Z"


@dataclass(frozen=True)
class SpeechCommands(SpeechCorpus):
    """The digits of version 0.02 at 16 kHz, ``{word}/{speaker}_nohash_{number}.wav``, with its split by speaker.

    The other 25 words are what a recogniser of digits should reject (:meth:`other_words`). ``_background_noise_`` is
    not used.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="speech-commands",
        title="Speech Commands v0.02",
        modality=Modality.SPEECH,
        licence="CC BY 4.0",
        citation="P. Warden: Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, 2018",
        origin="https://arxiv.org/abs/1804.03209",
        human=True,
        speakers=2_618,
        layout="what speech_commands_v0.02.tar.gz unpacks to, with its lists and folders zero to nine,",
    )
    names: ClassVar[re.Pattern[str]] = re.compile(rf"\A(?P<name>(?P<word>{'|'.join(WORDS)})/{_FILE}")
    other_names: ClassVar[re.Pattern[str]] = re.compile(
        rf"\A(?P<name>(?P<word>(?!(?:{'|'.join(WORDS)}|_background_noise_)/)[a-z_]+)/{_FILE}"
    )
    example: ClassVar[str] = "seven/0a7c2a8d_nohash_0.wav"

    def location(self) -> Path | None:
        """The folder that holds the folders of words: its own, or the one in it that the archive makes."""
        if not self.home.is_dir():
            return None
        places = (self.home, *sorted(path for path in self.home.iterdir() if path.is_dir()))
        return next((place for place in places if (place / WORDS[0]).is_dir()), None)

    def described(self, place: Path, found: Mapping[str, re.Match[str]]) -> dict[str, Utterance]:
        """All of them, sorted by path."""
        listed = {path: split for name, split in _LISTS.items() for path in _read_list(place / name)}
        return {
            path: Utterance(
                key=path,
                label=WORDS.index(match["word"]) if match["word"] in WORDS else -1,
                speaker=match["speaker"],
                source=f"Speech Commands {match['speaker']}, {match['word']} {match['number']}",
                split=listed.get(path, "train"),
            )
            for path, match in found.items()
        }


def _read_list(file: Path) -> list[str]:
    """The paths in a list; without it the split would not be the official one."""
    try:
        if file.stat().st_size > _MAX_LIST:
            raise MissingData(f"{file} is far too large. Get Speech Commands again.")
        return file.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise MissingData(
            f"{file} can't be read ({error}), which says how the corpus is split. Get it again."
        ) from error
