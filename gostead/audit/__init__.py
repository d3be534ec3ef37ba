"""Proves by other means that hosts are as declared: testinfra, under pytest.

As a command `gostead audit`; as tests `pytest --pyargs gostead.audit
--hosts=…`. Nothing here imports what converges hosts.
"""

from gostead.audit.findings import AuditFinding, HostResult
from gostead.audit.runner import AuditHost, run

__all__ = ["AuditFinding", "AuditHost", "HostResult", "run"]
