"""`ledger doctor`: everything the ledger depends on, looked at without changing anything."""

from app.doctor.examination import examine
from app.doctor.findings import Finding

__all__ = ["Finding", "examine"]
