"""The science of modinv: modality-invariant representations of images and speech (Leidal, Harwath, Glass 2017).

Usable headless, from a notebook or a cluster; nothing in here knows that a window exists.
"""
