"""The stable codes of a review: R… for differences, E… for what a base has not declared (REC-9, REC-11)."""

from __future__ import annotations

from typing import Final

ADDED: Final = "R101"
REMOVED: Final = "R102"
FIELDS_ADDED: Final = "R103"
FIELDS_REMOVED: Final = "R104"
CHANGED: Final = "R105"

STORE_NOT_TRUSTED: Final = "E401"
SECRET_NOT_TRUSTED: Final = "E402"
ADMIN_NOT_TRUSTED: Final = "E403"
FILE_NOT_TRUSTED: Final = "E404"

#: What each code means, for `docs/diagnostics.md`.
MEANING: Final = {
    ADDED: "The revision adds a document: an org, a connection, a publication or another one.",
    REMOVED: "The revision removes a document; an object's records, or a connection's, would be disconnected.",
    FIELDS_ADDED: "The revision publishes more fields of an object.",
    FIELDS_REMOVED: "The revision publishes fewer fields of an object.",
    CHANGED: "The revision changes a setting.",
    STORE_NOT_TRUSTED: "The trusted base does not declare this org with this store, so it is not opened.",
    SECRET_NOT_TRUSTED: "The trusted base does not have this secret reference at this key, so it counts for nothing.",
    ADMIN_NOT_TRUSTED: "The trusted base names another user, or nobody, to act in this org.",
    FILE_NOT_TRUSTED: "The revision itself brings the file that an org's store or its secret is read from.",
}
