"""What a verification found, object by object and field by field (VER-1)."""

from __future__ import annotations

from dataclasses import dataclass

#: A value as an org stores it, or its canonical text: text, number or nothing.
Value = str | int | float | bytes | None


@dataclass(frozen=True, kw_only=True)
class ObjectResult:
    """One object: linked records, and how many are equal, different, or missing in one of the orgs."""

    object: str
    linked: int
    equal: int
    different: int
    missing_primary: int
    missing_secondary: int
    #: One-way: records that were edited in the secondary after the primary's last change, which stands (PUB-7).
    edited_in_secondary: int = 0

    @property
    def faults(self) -> int:
        """Records that are not as they should be."""
        return self.different + self.missing_primary + self.missing_secondary


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field of one record that differs. Values as the orgs store them, references as the secondary's Ids."""

    object: str
    primary_record: str
    secondary_record: str
    field: str
    primary_value: Value
    secondary_value: Value


@dataclass(frozen=True, kw_only=True)
class RepairResult:
    """What a repair queued for the next drain: records per org that sends them, and rows that are sent as new ones."""

    from_primary: int
    from_secondary: int
    sent_as_new: int

    @property
    def queued(self) -> int:
        """All records that were queued."""
        return self.from_primary + self.from_secondary


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """The result of a verification."""

    objects: tuple[ObjectResult, ...]
    differences: tuple[Difference, ...]
    #: None where no repair was asked for.
    repair: RepairResult | None = None

    @property
    def equal(self) -> bool:
        """Whether nothing differs and nothing is missing, less the edits that stand in the secondary."""
        return not any(item.faults for item in self.objects)
