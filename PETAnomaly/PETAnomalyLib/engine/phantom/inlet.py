"""Where neck and chest meet: what passes the thoracic inlet, and where. Body mm: x, y, z, radius.

Sides are the left ones; the right mirror them.
"""

from __future__ import annotations

TRACHEA = (0.0, -8.0, 546.0, 8.5)
OESOPHAGUS = (4.0, 8.0, 546.0, 6.0)
CAROTID = (18.0, -10.0, 546.0, 3.8)
JUGULAR = (26.0, -8.0, 546.0, 6.0)
