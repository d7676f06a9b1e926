"""Electronic addresses: under which scheme an e-invoice finds a party."""

from __future__ import annotations

from dataclasses import dataclass

_LISTED = (
    "0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0154 0158 0170 0177 0183 0184 "
    "0188 0190 0191 0192 0193 0194 0195 0196 0198 0199 0200 0201 0202 0203 0204 0205 0208 0209 0210 0211 "
    "0212 0213 0215 0216 0217 0218 0219 0220 0221 0225 0230 0235 0240 0242 0244 0245 0246 0248 9910 9913 "
    "9914 9915 9918 9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 "
    "9937 9938 9939 9940 9941 9942 9943 9944 9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959 AN AQ "
    "AS AU EM"
)
SCHEMES = frozenset(_LISTED.split())
"""Electronic Address Scheme list (EAS), as the rules of EN 16931 hold it in version 1.3.16 of 2026-04 (BR-CL-25)."""

EMAIL = "EM"
"""The scheme of e-mail addresses."""

_UNKNOWN_TO_PEPPOL = (
    "0037 0147 0154 0158 0170 0177 0193 0194 0202 0203 0205 0212 0213 0215 0217 0219 0220 AN AQ AS AU EM"
)
PEPPOL_SCHEMES = SCHEMES - frozenset(_UNKNOWN_TO_PEPPOL.split())
"""Those under which Peppol knows its participants (PEPPOL-EN16931-CL008, version 2026.5)."""


@dataclass(frozen=True, slots=True)
class ElectronicAddress:
    """Where e-invoices go (BT-34, BT-49): `scheme` is a code of the Electronic Address Scheme list."""

    scheme: str
    id: str


def electronic_address(written: str, email: str) -> ElectronicAddress:
    """The address as records write it, scheme and id with a colon between; the e-mail address where there is none."""
    scheme, _, own = written.partition(":")
    return ElectronicAddress(scheme, own) if own else ElectronicAddress(EMAIL, email)
