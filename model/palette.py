"""The colours of the ten digits and of compared runs, in the window and in exported figures."""

# Ten colours optimised for the largest mutual distances, with normal vision and with the three kinds of colour
# blindness, and for contrast with the background (tests/app checks the distances). A digit has similar hues on both
# backgrounds as far as the distances allow.
DIGITS_ON_LIGHT = (
    "#d00e9a", "#01a485", "#5b2b36", "#b47d16", "#ad51dd",
    "#99381e", "#27526f", "#40238e", "#a282cf", "#789b55",
)  # fmt: skip
DIGITS_ON_DARK = (
    "#ea7287", "#68f4f1", "#9e5b91", "#efec73", "#775ae7",
    "#f34630", "#2674c0", "#1fb5de", "#ecb787", "#279c38",
)  # fmt: skip

# Indices of the colours; the first ones are the most distinct, because few runs are compared at once.
RUNS = (6, 5, 1, 3, 9, 0, 8, 4, 2, 7)

NOISE_COLOURS = {"white": 6, "pink": 5, "babble": 1}
"""Indices of the colours of the kinds of noise."""
