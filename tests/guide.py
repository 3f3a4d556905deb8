"""The examples of the guide for contributors."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def examples(language: str) -> dict[str, list[str]]:
    """The code blocks in a language, by the heading above them."""
    sections = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("\n## ")[1:]
    return {text.splitlines()[0]: re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) for text in sections}
