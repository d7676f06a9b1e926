"""What must fit in the records of a company so that its e-invoices find their way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from billing.complaints import CompanyRecords, Complaint
from billing.einvoice.electronic_addresses import PEPPOL_SCHEMES, SCHEMES
from billing.einvoice.leitweg_id import check_digits, is_leitweg_id, looks_like_leitweg_id


def check_einvoices(records: CompanyRecords) -> Iterator[Complaint]:
    """Electronic addresses of schemes nobody knows, or on one side only; references that are nearly a Leitweg-ID."""
    addresses = {issuer.id: issuer.electronic_address for issuer in records.issuers.read.values()}
    for position, issuer in sorted(records.issuers.read.items()):
        yield from _electronic_address(("issuers", position), issuer.electronic_address)
    for position, client in sorted(records.clients.read.items()):
        yield from _electronic_address(("clients", position), client.electronic_address)
        reference = client.buyer_reference.strip()
        if not is_leitweg_id(reference) and _in_peppol(client.electronic_address):
            yield from _one_sided(position, client.issuer, addresses)
        if looks_like_leitweg_id(reference) and not is_leitweg_id(reference):
            yield Complaint(
                ("clients", position, "buyer_reference"),
                f"{reference} is built like a Leitweg-ID, whose check digits would be {check_digits(reference)}: "
                "ask the client for the right one; if it is another kind of reference, leave it",
                warning=True,
            )


def _in_peppol(written: str) -> bool:
    scheme, _, name = written.partition(":")
    return bool(name) and scheme in PEPPOL_SCHEMES


def _one_sided(position: int, issuer: str, addresses: Mapping[str, str]) -> Iterator[Complaint]:
    """A client that Peppol reaches, and an issuer it does not know: the file would not say so by itself."""
    if issuer in addresses and not _in_peppol(addresses[issuer]):
        yield Complaint(
            ("clients", position, "electronic_address"),
            f"the client is in Peppol, but its issuer {issuer!r} has no electronic_address there, so its UBL follows "
            "EN 16931 alone and Peppol would refuse it; write the issuer's in issuers.yaml",
            warning=True,
        )


def _electronic_address(record: tuple[str, int], written: str) -> Iterator[Complaint]:
    scheme = written.partition(":")[0]
    if written and scheme not in SCHEMES:
        yield Complaint(
            (*record, "electronic_address"),
            f"{scheme} is no scheme of electronic addresses (EAS); write one of the list before the colon, such as "
            "9930 (German VAT id), 0204 (Leitweg-ID), 0208 (Belgian enterprise number) or EM (e-mail address)",
        )
