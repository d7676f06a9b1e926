"""Countries with one value added or goods and services tax: how they tax services sold abroad, with the articles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ELECTRONIC, ServiceKind

_REMOTE = frozenset(
    {
        ServiceKind.CONSULTING,
        ServiceKind.DEVELOPMENT,
        ServiceKind.SUPPORT,
        ServiceKind.DATA_PROCESSING,
        *ELECTRONIC,
    }
)
_MANUAL = _REMOTE - ELECTRONIC
_LIVE = frozenset({ServiceKind.TRAINING, ServiceKind.EVENT})
ON_THE_SPOT = _LIVE | {ServiceKind.HARDWARE}


@dataclass(frozen=True)
class Abroad:
    """Services that bear no tax when sold abroad: which ones, in which category, by which article, from which day."""

    services: frozenset[ServiceKind]
    category: TaxCategory
    article: str
    since: date = date.min


@dataclass(frozen=True)
class Country:
    """How one country taxes the services its businesses sell at home and abroad, with the articles."""

    tax: str
    at_home: str
    small_business: str
    to_business: tuple[Abroad, ...]
    to_consumers: tuple[Abroad, ...]
    where_performed: frozenset[ServiceKind] = _LIVE
    """Sold abroad, but taxed at home if performed there. Repairs are mostly not among them: what leaves the country
    afterwards may be free."""
    not_settled_at_home: dict[ServiceKind, str] = field(default_factory=dict)
    stop_for: frozenset[str] = frozenset()
    """Countries of clients for which the rules abroad are in doubt."""


def _exports(article: str) -> tuple[Abroad, ...]:
    return (Abroad(_REMOTE, TaxCategory.ZERO_RATED, article),)


_TEACHING_CH = "courses are exempt unless the issuer opts for tax (Art. 21(2)(11), 22 MWSTG)"
_EVENTS_CH = (
    "admission to teaching and culture is exempt unless the issuer opts (Art. 21(2)(11) and (14), 22 MWSTG)"
)
_TEACHING_NO = "teaching is exempt (§ 3-5 merverdiavgiftsloven), advice is not"
_EVENTS_NO = "admission has exemptions and rates of its own (§ 3-7, § 5-9 to 5-11 merverdiavgiftsloven)"

COUNTRIES = {
    "GB": Country(
        tax="VAT",
        at_home="s. 4 VATA 1994",
        small_business="Sched. 1 VATA 1994",
        to_business=(
            Abroad(
                frozenset(ServiceKind) - {ServiceKind.EVENT},
                TaxCategory.OUTSIDE_SCOPE,
                "s. 7A(2)(a) VATA 1994",
            ),
        ),
        to_consumers=(
            Abroad(
                frozenset({ServiceKind.CONSULTING, ServiceKind.DEVELOPMENT, ServiceKind.DATA_PROCESSING}),
                TaxCategory.OUTSIDE_SCOPE,
                "Sched. 4A para 16 VATA 1994",
                # Before that day the paragraph left out consumers in the EU.
                date(2021, 1, 1),
            ),
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Sched. 4A para 15 VATA 1994", date(2021, 1, 1)),
        ),
        where_performed=ON_THE_SPOT,
    ),
    "CH": Country(
        tax="MWST",
        at_home="Art. 18(1) MWSTG",
        small_business="Art. 10(2)(a) MWSTG",
        to_business=(Abroad(_REMOTE, TaxCategory.OUTSIDE_SCOPE, "Art. 8(1) MWSTG"),),
        to_consumers=(Abroad(_REMOTE, TaxCategory.OUTSIDE_SCOPE, "Art. 8(1) MWSTG"),),
        not_settled_at_home={ServiceKind.TRAINING: _TEACHING_CH, ServiceKind.EVENT: _EVENTS_CH},
    ),
    "NO": Country(
        tax="MVA",
        at_home="§ 3-1 merverdiavgiftsloven",
        small_business="§ 2-1 merverdiavgiftsloven",
        to_business=_exports("§ 6-22(2) merverdiavgiftsloven"),
        # Private persons abroad came in with the law of 20 December 2022.
        to_consumers=(
            Abroad(_REMOTE, TaxCategory.ZERO_RATED, "§ 6-22(2) merverdiavgiftsloven", since=date(2023, 1, 1)),
        ),
        not_settled_at_home={ServiceKind.TRAINING: _TEACHING_NO, ServiceKind.EVENT: _EVENTS_NO},
    ),
    "AU": Country(
        tax="GST",
        at_home="s. 9-5, 9-70 GST Act 1999",
        small_business="s. 23-15 GST Act 1999",
        to_business=_exports("s. 38-190(1) GST Act 1999"),
        to_consumers=(Abroad(_REMOTE, TaxCategory.ZERO_RATED, "s. 38-190(1) GST Act 1999"),),
    ),
    "NZ": Country(
        tax="GST",
        at_home="s. 8(1) GST Act 1985",
        small_business="s. 51 GST Act 1985",
        to_business=_exports("s. 11A(1)(k) GST Act 1985"),
        to_consumers=(Abroad(_REMOTE, TaxCategory.ZERO_RATED, "s. 11A(1)(k) GST Act 1985"),),
    ),
    "SG": Country(
        tax="GST",
        at_home="s. 8, 16 GST Act 1993",
        small_business="First Schedule GST Act 1993",
        to_business=_exports("s. 21(3)(j) GST Act 1993"),
        to_consumers=(Abroad(_REMOTE, TaxCategory.ZERO_RATED, "s. 21(3)(j) GST Act 1993"),),
    ),
    "JP": Country(
        tax="Consumption tax",
        at_home="Art. 4(1), 29 Consumption Tax Act",
        small_business="Art. 9 Consumption Tax Act",
        to_business=(
            # What is provided over networks is placed where the recipient is, so it is no export but outside.
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Art. 4(3)(iii) Consumption Tax Act"),
            Abroad(
                _MANUAL, TaxCategory.ZERO_RATED, "Art. 7(1)(v) Consumption Tax Act, Order Art. 17(2)(vii)"
            ),
        ),
        to_consumers=(
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Art. 4(3)(iii) Consumption Tax Act"),
            Abroad(
                _MANUAL, TaxCategory.ZERO_RATED, "Art. 7(1)(v) Consumption Tax Act, Order Art. 17(2)(vii)"
            ),
        ),
    ),
    "AE": Country(
        tax="VAT",
        at_home="Art. 3 Federal Decree-Law 8/2017",
        small_business="Art. 13 Federal Decree-Law 8/2017",
        to_business=(
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Art. 31 Federal Decree-Law 8/2017"),
            Abroad(_MANUAL, TaxCategory.ZERO_RATED, "Art. 31(1)(a) Cabinet Decision 52/2017"),
        ),
        to_consumers=(
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Art. 31 Federal Decree-Law 8/2017"),
            Abroad(_MANUAL, TaxCategory.ZERO_RATED, "Art. 31(1)(a) Cabinet Decision 52/2017"),
        ),
        # Whether other GCC states are implementing states is disputed: clarification VATP019 against the courts.
        stop_for=frozenset({"BH", "KW", "OM", "QA", "SA"}),
    ),
}
