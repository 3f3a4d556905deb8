"""The colours of the ten digits, and of runs beside each other: the same on the screen and on paper."""

# Ten colours that stay as far apart as ten can, in common vision and in the three kinds of colour blindness,
# and stand out from their ground; found by optimising just that (the window's tests have the distances). A digit
# keeps its hue on both grounds as far as the distances allow.
DIGITS_ON_LIGHT = (
    "#d00e9a", "#01a485", "#5b2b36", "#b47d16", "#ad51dd",
    "#99381e", "#27526f", "#40238e", "#a282cf", "#789b55",
)  # fmt: skip
DIGITS_ON_DARK = (
    "#ea7287", "#68f4f1", "#9e5b91", "#efec73", "#775ae7",
    "#f34630", "#2674c0", "#1fb5de", "#ecb787", "#279c38",
)  # fmt: skip

# Places in the ten, the first of them as far apart as can be: few runs are compared at once.
RUNS = (6, 5, 1, 3, 9, 0, 8, 4, 2, 7)
