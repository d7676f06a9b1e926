"""What a client who pays late owes under a dunning policy: by the contract's late fee, else by law; never both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from billing.dunning_policy import DunningPolicy
from billing.interest.accrual import Interest, InterestUnknown, OpenAmount, accrue
from billing.interest.instalments import Part, by_instalment, together
from billing.interest.late_fees import late_fees
from billing.interest.reference_rates import published
from billing.interest.regimes import covered, regime_of


def claim(
    facts: OpenAmount,
    policy: DunningPolicy,
    issuer_country: str,
    as_of: date,
    instalments: Sequence[Part] = (),
) -> Interest | InterestUnknown:
    """What late payment has cost up to a day, that day included.

    The law is the one the policy names, else that of the issuer's country: where nothing is chosen, a contract for
    services is under the law of the provider's habitual residence (Art. 4(1)(b) Regulation (EC) 593/2008, Rome I). A
    fixed late fee is asked once, however many instalments are late.
    """
    open_amounts = by_instalment(facts, instalments)
    if policy.late_fee is not None:
        fees = [late_fees(each, policy.late_fee, as_of) for each in open_amounts]
        once = next((each.compensation for each in fees if each.compensation is not None), None)
        return together(fees).model_copy(update={"compensation": once})
    country = policy.interest_law or issuer_country
    regime = regime_of(country)
    if regime is None:
        return InterestUnknown(reason=no_law(country))
    rates = published().with_announced(policy.reference_rates)
    found: list[Interest] = []
    for each in open_amounts:
        owed = accrue(each, regime, as_of, rates)
        if isinstance(owed, InterestUnknown):
            return owed
        found.append(owed)
    return together(found)


def no_law(country: str) -> str:
    """Why nothing can be claimed under a country's law, and what to write."""
    return (
        f"no law on late payment is known for {country}: write the late_fee of the contract, or the interest_law it "
        f"is under, into the dunning policy; known are {', '.join(sorted(covered()))}"
    )
