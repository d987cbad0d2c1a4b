"""Finds the helpers of the review, mail and alert tests."""

from __future__ import annotations

import sys
from pathlib import Path

for place in ("review", "alerts"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / place))
