"""The table of pages, from which tabs, commands, shortcuts and background imports are made."""

from modinv_app.common.page import PageInfo

PAGES = (
    PageInfo("explore", "&Explore", "modinv_app.explore.page"),
    PageInfo("takes", "&My digits", "modinv_app.takes.page"),
    PageInfo("dial", "&λ dial", "modinv_app.sweep.page"),
    PageInfo("train", "&Train", "modinv_app.train.page"),
    PageInfo("evaluate", "E&valuate", "modinv_app.evaluate.page"),
    PageInfo("data", "&Data", "modinv_app.data.page"),
)
