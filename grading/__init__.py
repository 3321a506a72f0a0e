"""The instructor's side: release, grade, report."""

import sys

# jsonschema would import it to check addresses, which takes each worker seconds; notebooks have none
sys.modules.setdefault("rfc3987_syntax", None)
