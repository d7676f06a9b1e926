"""A company folder: every problem is named by file and line, all at once, with what to write instead."""

# ruff: noqa: E501 (a table of cases is read by its columns)

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from activities.company.folder import read_folder
from activities.company.problems import Problem, errors
from activities.company.sample import write_sample, write_starter
from billing.agreements import Retainer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest company, with a single approver."""
    write_starter(tmp_path, date(2026, 11, 22))
    edit(tmp_path, "approvals.yaml", "[anna, me]", "[me]")
    return tmp_path


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, f"{old!r} does not stand in {file}"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(folder: Path, file: str, snippet: str) -> int:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if snippet in line)


class Case(NamedTuple):
    """An edit, the text on the line that must be named, and what must be said."""

    name: str
    file: str
    old: str
    new: str
    line: str
    says: tuple[str, ...]
    warning: bool = False


PEOPLE = "  roles: [managing director, admin]\n"
SECOND = PEOPLE + "\n- id: eva\n  name: Eva Zwei\n  email: eva@my-company.example\n"
CLIENT = "  account_manager: me\n"
RETAINER = "  every: month                  # or: quarter, half-year, year, 90 days …\n"
SECOND_AGREEMENT = (
    "\n- id: other\n  client: first-client\n  title: Other\n  currency: EUR\n  start: 2026-11-01\n"
)
START = "  start: 2026-11-01"
TIME = "  model: time and materials\n  project: P-1\n  every: month\n"
TWICE = (
    f"{START}{SECOND_AGREEMENT}{TIME}  rates: {{dev: 1}}\n"
    f"{SECOND_AGREEMENT.replace('other', 'third')}{TIME.replace('project: P-1', 'project:  P-1')}  rates: {{d: 1}}\n"
)

CASES = [
    Case("unknown key", "clients.yaml", "zone:", "zoen:", "zoen:", ("unknown key 'zoen'", "did you mean 'zone'?")),
    Case("unknown key, no likeness", "people.yaml", PEOPLE, PEOPLE + "  xyz: 1\n", "xyz", ("unknown key 'xyz'", "write one of: id, name")),
    Case("missing key", "clients.yaml", "  currency: EUR\n", "", "- id: first-client", ("'currency' is missing", "such as EUR")),
    Case("unknown key without a value", "clients.yaml", "zone:", "zoen:\n  zone:", "zoen", ("unknown key 'zoen'",)),
    Case("comma in a figure in braces", "approvals.yaml", "{EUR: 1000}", "{EUR: 1.000,00}", "1.000,00", ("'00' has no value",)),
    Case("empty key", "clients.yaml", "currency: EUR", "currency:", "currency:", ("'currency' is empty", "such as EUR")),
    Case("text for a figure", "agreements.yaml", "1200.00", "twelve", "twelve", ("'twelve' does not fit", "such as 1250.00")),
    Case("a figure written in German", "agreements.yaml", "1200.00", "1.200,00", "1.200,00", ("'1.200,00' does not fit", "without thousands separators")),
    Case("zero", "agreements.yaml", "1200.00", "0", "amount: 0", ("greater than 0",)),
    Case("beyond all reason", "agreements.yaml", "1200.00", "1e999999999", "1e999999999", ("is too large",)),
    Case("an abyss of brackets", "people.yaml", "- id: me", "[" * 5000 + "]" * 5000, "[[[", ("nested too deeply",)),
    Case("not finite", "agreements.yaml", "1200.00", ".nan", ".nan", ("'.nan' does not fit",)),
    Case("text for a number", "clients.yaml", "{net_days: 14}", "{net_days: soon}", "net_days", ("'soon' does not fit", "a whole number")),
    Case("text for a block", "clients.yaml", "{net_days: 14}", "14 days", "14 days", ("keys and values belongs", "{net_days: 14}")),
    Case("both terms", "clients.yaml", "{net_days: 14}", "{net_days: 14, net_minutes: 2}", "terms", ("exactly one of net_days, net_minutes",)),
    Case("a block for text", "people.yaml", "name: Max Mustermann", "name: {first: Max}", "name:", ("a block of keys and values stands where text belongs",)),
    Case("text for a list", "approvals.yaml", "[me]", "me", "approvers", ("'me' stands where a list belongs",)),
    Case("date in German", "agreements.yaml", START, "  start: 01.11.2026", "01.11.2026", ("'01.11.2026' is not a date", "such as 2026-01-31")),
    Case("year only", "agreements.yaml", START, "  start: 2026", "start: 2026", ("'2026' is not a date",)),
    Case("no such day", "agreements.yaml", START, "  start: 2026-02-30", "2026-02-30", ("is not a date",)),
    Case("hour only", "dunning.yaml", "- id: standard\n", "- id: standard\n  opens: 9\n", "opens", ("'9' is not a time of day", "such as 09:00")),
    Case("yes or no", "dunning.yaml", "- id: standard\n", "- id: standard\n  around_the_clock: always\n", "around", ("true or false",)),
    Case("no such currency", "clients.yaml", "currency: EUR", "currency: EUX", "EUX", ("'EUX' is not a currency", "EUR, CHF or USD")),
    Case("no such currency limit", "approvals.yaml", "{EUR: 1000}", "{EURO: 1000}", "EURO", ("'EURO' is not a currency",)),
    Case("no such zone", "clients.yaml", "Europe/Berlin", "Europe/Berln", "Berln", ("not a time zone", "Europe/Berlin")),
    Case("zone that is a path", "clients.yaml", "Europe/Berlin", "/etc/passwd", "/etc/passwd", ("not a time zone",)),
    Case("no such calendar", "clients.yaml", "DE-BE ", "XX ", "calendar", ("no public holidays are known for 'XX'",)),
    Case("no such region", "clients.yaml", "DE-BE ", "DE-ZZ ", "calendar", ("'DE-ZZ'", "DE-BE", "or DE")),
    Case("calendar in words", "clients.yaml", "DE-BE ", "Berlin ", "calendar", ("'Berlin' does not fit", "DE-BE")),
    Case("id with capitals", "clients.yaml", "- id: first-client", "- id: First Client", "- id:", ("lower-case",)),
    Case("an address that is none", "people.yaml", "max@my-company.example", "max at home", "email", ("one e-mail address",)),
    Case("no such country", "issuers.yaml", "country: DE", "country: QQ", "country: QQ", ("there is no country 'QQ'",)),
    Case("IBAN check digits", "issuers.yaml", "DE89", "DE88", "iban", ("its check digits do not fit",)),
    Case("BIC", "issuers.yaml", "    holder:", "    bic: XYZ\n    holder:", "bic", ("'XYZ' is not a BIC",)),
    Case("VAT id check digit", "issuers.yaml", "DE811270004", "DE811270005", "vat_id", ("VAT id of DE", "check digits")),
    Case("VAT id of a Swiss issuer", "issuers.yaml", "DE811270004", "CHE-107.787.578 MWST", "vat_id", ("begins with DE",)),
    Case("IBAN too short", "issuers.yaml", "0532 0130 00", "0532 0130 0", "iban", ("is not an IBAN",)),
    Case("VAT id of another country", "issuers.yaml", "DE811270004", "ATU71204001", "vat_id", ("not a VAT id of DE",), True),
    Case("no tax rules", "issuers.yaml", "city: Berlin, country: DE", "city: Lima, country: PE", "PE", ("no tax rules for an issuer in PE",), True),
    Case("prefix too long", "issuers.yaml", "MY-   ", "MYFIRM-   ", "number_prefix", ("write at most 6",)),
    Case("no number pattern", "issuers.yaml", "  number_prefix:", "  numbers: {invoice: 'MY-{number:05}'}\n  number_prefix:", "numbers", ("must have {year}", "BER-{year}-{number:05}")),
    Case("no such series", "issuers.yaml", "  number_prefix:", "  numbers: {receipt: 'MY-{year}-{number:05}'}\n  number_prefix:", "receipt", ("credit note",)),
    Case("number too long to refer to", "issuers.yaml", "  number_prefix:", "  numbers: {invoice: 'MYVERYOWNCOMPANY-{year}-{number:05}'}\n  number_prefix:", "MYVERYOWN", ("more than 21 letters and digits", "write another pattern")),
    Case("two series, one number", "issuers.yaml", "  number_prefix:", "  numbers: {credit note: 'MY-{year}-{number:03}'}\n  number_prefix:", "credit note", ("could give a number of MY-{year}-{number:05} (issuer main, invoice) again",)),
    Case("no such month", "issuers.yaml", "  number_prefix:", "  fiscal_year_starts: 13\n  number_prefix:", "fiscal_year_starts", ("at most 12",)),
    Case("issuer unknown", "clients.yaml", "issuer: main", "issuer: mian", "issuer", ("there is no issuer 'mian'", "did you mean 'main'?")),
    Case("policy unknown", "clients.yaml", "dunning: standard", "dunning: hard", "dunning: hard", ("there is no dunning policy 'hard'", "standard")),
    Case("account manager unknown", "clients.yaml", CLIENT, "  account_manager: you\n", "account_manager", ("there is no person 'you'", "write one of: anna, me")),
    Case("approver who is nobody", "approvals.yaml", "[me]", "[mee]", "approvers", ("there is no person 'mee'", "did you mean 'me'?")),
    Case(
        "approver without the role", "people.yaml", PEOPLE, "  roles: [managing director]\n", "roles: [managing director]",
        ("'me' approves in tier", "has the role viewer", "add approver"), warning=True,
    ),
    Case(
        "delegate without the role", "people.yaml", PEOPLE, SECOND.replace(PEOPLE, PEOPLE + "  delegate: eva\n") + "  roles: [operator]\n",
        "roles: [operator]", ("'eva' stands in for 'me'", "has the role operator"), warning=True,
    ),
    Case("boss unknown", "people.yaml", PEOPLE, PEOPLE + "  reports_to: boss\n", "reports_to: boss", ("there is no person 'boss'",)),
    Case("delegate unknown", "people.yaml", PEOPLE, PEOPLE + "  delegate: eva\n", "delegate: eva", ("there is no person 'eva'",)),
    Case("own delegate", "people.yaml", PEOPLE, PEOPLE + "  delegate: me\n", "delegate: me", ("nobody stands in for themselves",)),
    Case("reports to self", "people.yaml", PEOPLE, PEOPLE + "  reports_to: me\n", "reports_to: me", ("circle: me → me",)),
    Case(
        "circle of reports", "people.yaml", PEOPLE, SECOND.replace(PEOPLE, PEOPLE + "  reports_to: eva\n") + "  reports_to: me\n",
        "reports_to: me", ("goes round in a circle: eva → me → eva",),
    ),
    Case("back before away", "people.yaml", PEOPLE, PEOPLE + "  away_from: 2026-12-24\n  away_until: 2026-12-01\n", "away_until", ("lies before away_from",)),
    Case("away until only", "people.yaml", PEOPLE, PEOPLE + "  away_until: 2026-12-01\n", "away_until", ("add away_from",)),
    Case("id twice", "people.yaml", PEOPLE, SECOND.replace("id: eva", "id: me"), "  name: Eva", ("the id 'me' is taken already",)),
    Case("client missing", "agreements.yaml", "client: first-client", "client: last-client", "client: last", ("there is no client 'last-client'", "did you mean")),
    Case("other currency", "agreements.yaml", "currency: EUR", "currency: USD", "USD", ("client 'first-client' is billed in EUR",), True),
    Case("end before start", "agreements.yaml", START, "  end: 2026-10-31\n" + START, "end:", ("lies before the start",)),
    Case("too many decimals", "agreements.yaml", "1200.00", "1200.005", "1200.005", ("more decimals than EUR knows", "at most 2")),
    Case("retainer without a period", "agreements.yaml", RETAINER, "", "- id: first-retainer", ("'every' is missing; write every: month, quarter, half-year, year, or a count such as 90 days",)),
    Case("no such period", "agreements.yaml", "every: month", "every: monthly", "monthly", ("'monthly' is not how often something is billed; write month, quarter",)),
    Case("no such billing day", "agreements.yaml", START, f"{START}\n  bill_on: 32", "bill_on", ("'32' does not fit", "from 1 to 31, first business day or last business day")),
    Case("a billing day in words", "agreements.yaml", START, f"{START}\n  bill_on: ultimo", "bill_on", ("'ultimo' does not fit", "last business day")),
    Case("an anchor that is no date", "agreements.yaml", START, f"{START}\n  anchor: January", "anchor", ("'January' is not a date",)),
    Case("a rate in words", "agreements.yaml", START, f"{START}\n  rates: {{dev: cheap}}", "cheap", ("'cheap' does not fit", "such as 1250.00, or a list", "{since: …, price: …}")),
    Case("a rate below zero", "agreements.yaml", START, f"{START}\n  rates: {{dev: -1}}", "dev: -1", ("greater than 0",)),
    Case("a role without a rate", "agreements.yaml", START, f"{START}\n  rates:\n    dev:\n    lead: 120", "    dev:", ("'dev' has no value", "such as 1250.00")),
    Case("no dated rate", "agreements.yaml", START, f"{START}\n  rates: {{dev: []}}", "dev", ("the list is empty",)),
    Case("a dated rate without its price", "agreements.yaml", START, f"{START}\n  rates:\n    dev:\n      - since: 2026-12-01", "- since", ("'price' is missing",)),
    Case("a dated rate in German", "agreements.yaml", START, f"{START}\n  rates:\n    dev:\n      - since: 1.12.2026\n        price: 90", "1.12.2026", ("'1.12.2026' is not a date",)),
    Case("dated rates out of order", "agreements.yaml", START, f"{START}\n  rates:\n    dev: [{{since: 2026-12-01, price: 9}}, {{since: 2026-11-01, price: 8}}]", "dev", ("the oldest first",)),
    Case("a dated rate that is no list", "agreements.yaml", START, f"{START}\n  rates:\n    dev: {{since: 2026-12-01, price: 9}}", "dev", ("a block of keys and values does not fit", "or a list")),
    Case("a grouping that is no list", "agreements.yaml", START, f"{START}\n  group_by: person", "group_by", ("'person' stands where a list belongs; write [person]",)),
    Case("no such grouping", "agreements.yaml", START, f"{START}\n  group_by: [persn]", "persn", ("did you mean 'person'?",)),
    Case("change orders that are no list", "agreements.yaml", START, f"{START}\n  change_orders: {{id: more}}", "change_orders", ("stands where a list belongs", "effective: …")),
    Case("a change approved by its proposer", "agreements.yaml", START, f"{START}\n  change_orders:\n    - {{id: a, effective: 2026-12-01, reason: r, document: d, amount: 9, proposed_by: me, approved_by: me, approved_on: 2026-11-02}}", "id: a,", ("somebody else approves it",)),
    Case("a change approved on no day", "agreements.yaml", START, f"{START}\n  change_orders:\n    - {{id: a, effective: 2026-12-01, reason: r, document: d, amount: 9, proposed_by: anna, approved_by: me}}", "id: a,", ("go together",)),
    Case("an index step without its source", "agreements.yaml", START, f"{START}\n  indexation: [{{since: 2027-01-01, percent: 2}}]", "indexation", ("'source' is missing",)),
    Case("no such trigger", "agreements.yaml", START, f"{START}\n  trigger: timee", "timee", ("did you mean 'time'?",)),
    Case("no such timing", "agreements.yaml", "in advance  ", "later  ", "later", ("write in advance or in arrears",)),
    Case("no such model", "agreements.yaml", "model: retainer", "model: retaner", "retaner", ("is no billing model", "did you mean 'retainer'?")),
    Case("no model", "agreements.yaml", "  model: retainer               # or: time and materials, expenses, milestone, fixed price, prepaid block\n", "", "- id: first-retainer", ("'model' is missing", "prepaid block")),
    Case("hours without rates", "agreements.yaml", START, f"{START}\n{SECOND_AGREEMENT}{TIME}", "- id: other", ("'rates' is missing", "price of an hour")),
    Case("empty rates", "agreements.yaml", START, f"{START}\n{SECOND_AGREEMENT}{TIME}  rates: {{}}\n", "rates: {}", ("name at least one",)),
    Case("hours in advance", "agreements.yaml", START, f"{START}\n{SECOND_AGREEMENT}{TIME}  rates: {{dev: 100}}\n  timing:  in advance\n", "timing:  in advance", ("hours are known only when the period is over",)),
    Case("hours billed twice", "agreements.yaml", START, TWICE, "project:  P-1", ("billed by agreement 'other' as well",), True),
    Case("a period for a fixed price", "agreements.yaml", START, f"{START}\n{SECOND_AGREEMENT}  model: fixed price\n  project: P\n  amount: 1\n  every:  quarter\n", "every:  quarter", ("'every' has no place here", "billed when the project is completed")),
    Case("milestones of a retainer", "agreements.yaml", START, f"{START}\n  milestones: []", "milestones: []", ("'milestones' has no place here: it belongs to milestone",)),
    Case("no milestones", "agreements.yaml", START, f"{START}\n{SECOND_AGREEMENT}  model: milestone\n  project: P\n  milestones: []\n", "milestones: []", ("name at least one",)),
    Case("milestone twice", "agreements.yaml", START, f"{START}\n{SECOND_AGREEMENT}  model: milestone\n  project: P\n  milestones:\n    - {{id: a, title: A, amount: 1}}\n    - {{id: a, title: B, amount: 1}}\n", "title: B", ("the id 'a' is taken already",)),
    Case("level before the due date", "dunning.yaml", "{days: 4}", "{days: -4}", "-4", ("-4 lies before the due date",)),
    Case("levels out of order", "dunning.yaml", "{days: 14}", "{days: 40}", "- id: standard", ("must follow one another",)),
    Case("closed before open", "dunning.yaml", "- id: standard\n", "- id: standard\n  opens: 18:00\n", "- id: standard", ("opens must be before closes",)),
    Case("gap larger than steps", "dunning.yaml", "- id: standard\n", "- id: standard\n  gap: {days: 12}\n", "{days: 4}", ("the gap of 12 days", "level 1"), True),
    Case("no approvers", "approvals.yaml", "[me]", "[]", "approvers", ("the list is empty; name at least one",)),
    Case("more needed than able", "approvals.yaml", "[me]", "[me]\n    needed: 2", "needed: 2", ("2 must approve, but only 1 may", "write at most 1")),
    Case("approver twice", "approvals.yaml", "[me]", "[me, me]", "[me, me]", ("'me' is named twice",)),
    Case("no channel", "approvals.yaml", "[me]", "[me]\n    channels: []", "channels", ("nobody can approve", "web, cli, signal or api")),
    Case("no such channel", "approvals.yaml", "[me]", "[me]\n    channels: [wep]", "channels", ("did you mean 'web'?",)),
    Case("limit below zero", "approvals.yaml", "1000", "-1", "-1", ("below zero",)),
    Case("owner unknown", "company.yaml", "default_owner: me", "default_owner: you", "default_owner", ("there is no person 'you'",)),
    Case("reason unknown", "company.yaml", "  default_owner: me\n", "  default_owner: me\n  owners: {tax-unknwon: me}\n", "tax-unknwon", ("did you mean 'tax-unknown'?",)),
    Case("billing run by the only approver", "company.yaml", "name: My Company\n", "name: My Company\nbilling_runs: {requested_by: me}\n", "requested_by", ("four eyes",)),
    Case("owner of leaks unknown", "company.yaml", "name: My Company\n", "name: My Company\nreconciliation: {owner: you}\n", "owner: you", ("there is no person 'you'",)),
    Case("owner of a client unknown", "company.yaml", "  default_owner: me\n", "  default_owner: me\n  client_owners: {first-client: you}\n", "first-client", ("there is no person 'you'",)),
    Case("exceptions of no client", "company.yaml", "  default_owner: me\n", "  default_owner: me\n  client_owners: {first: me}\n", "first: me", ("there is no client 'first'", "first-client")),
    Case("no such company in the CRM", "clients.yaml", "crm: C-1", "crm: C-9", "C-9", ("no company in the CRM 'C-9'", "did you mean 'C-1'?"), True),
    Case("no such deal", "agreements.yaml", START, f"{START}\n  deal:  D-9", "deal:  D-9", ("no deal in the CRM 'D-9'", "add it there"), True),
    Case("no such contract", "agreements.yaml", START, f"{START}\n  contract:  CT-9", "contract:  CT-9", ("no signed contract 'CT-9'",), True),
    Case("no such project", "agreements.yaml", START, f"{START}\n  project:  P-9", "project:  P-9", ("no project in the PSA 'P-9'",), True),
    Case("no signed amendment", "agreements.yaml", START, f"{START}\n  change_orders:\n    - id: up\n      effective: 2026-12-01\n      reason: more\n      document: CT-9\n      amount: 1300\n      proposed_by: anna\n      approved_by: me\n      approved_on: 2026-11-20", "document: CT-9", ("no signed amendment 'CT-9'",), True),
    Case("a broken source", "data/crm/deals.yaml", "[]", "- {id: D-1}", "crm: data/crm", ("deals.yaml cannot be used", "line 3", "'client' is missing"), True),
    Case("hours that cannot be read", "data/psa/time.csv", "project,", "projekt,", "psa: data/psa", ("time.csv cannot be used",), True),
    Case("folder of data missing", "company.yaml", "data/crm", "data/crn", "data/crn", ("there is no folder 'data/crn'",)),
    Case("key twice", "clients.yaml", "  currency: EUR\n", "  currency: EUR\n  currency: CHF\n", "CHF", ("'currency' stands here a second time (first on line 6)",)),
    Case("tab", "clients.yaml", "  currency", "\tcurrency", "\tcurrency", ("indented by a tab; use spaces",)),
    Case("second colon", "agreements.yaml", "title: IT support, flat fee", "title: IT: support", "IT: support", ("put the value in quotes",)),
    Case("open bracket", "approvals.yaml", "[me]", "[me", "[me", ("bracket is opened and not closed",)),
    Case("open quote", "people.yaml", "name: Max", 'name: "Max', '"Max', ("quote is opened and not closed",)),
    Case("reserved character", "people.yaml", "name: Max", "name: @Max", "@Max", ("put it in quotes",)),
    Case("tag", "people.yaml", "name: Max", "name: !!python/name:os.system Max", "!!python", ("tag",)),
    Case("alias", "clients.yaml", "{net_days: 14}", "&t {net_days: 14}\n  again: *t", "again", ("write the value out",)),
    Case("two documents", "people.yaml", PEOPLE, PEOPLE + "---\n- id: eva\n", "---", ("one document a file",)),
    Case("control character", "people.yaml", "name: Max", "name: Max\x07", "Max", ("unprintable character",)),
    Case("list under a key", "people.yaml", "- id: me\n", "people:\n- id: me\n", "#", ("must be one list",)),
    Case("a record that is text", "people.yaml", PEOPLE, PEOPLE + "\n- eva\n", "- eva", ("'eva' stands where keys and values belongs",)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_problem_is_named_by_file_and_line_with_what_to_write(folder: Path, case: Case) -> None:
    """Each thing that can be wrong is told with its file, its line, and what to write instead."""
    edit(folder, case.file, case.old, case.new)
    reading = read_folder(folder)
    found = [each for each in reading.problems if all(words in each.message for words in case.says)]
    assert found, "\n".join(map(str, reading.problems)) or "no problem was found"
    problem = found[0]
    file = "company.yaml" if case.file.startswith("data/") else case.file
    expected = line_of(folder, file, case.line) if case.name != "id twice" else problem.line
    assert (problem.file, problem.line, problem.warning) == (file, expected, case.warning)
    assert (reading.company is None) is not case.warning
    assert len(errors(reading.problems)) <= 2, "one mistake must not look like many"


def test_all_problems_of_all_files_are_told_at_once(folder: Path) -> None:
    """Mistakes in several files and several records come out together; none hides another."""
    edit(folder, "clients.yaml", "currency: EUR", "currency: EUX")
    edit(folder, "clients.yaml", "account_manager: me", "account_manager: you")
    edit(folder, "agreements.yaml", "every: month  ", "evry: month  ")
    edit(folder, "approvals.yaml", "[me]", "[nobody]")
    edit(folder, "people.yaml", "email: max@", "mail: max@")
    files = [problem.file for problem in read_folder(folder).problems]
    assert files == sorted(files)
    assert {file: files.count(file) for file in files} == {
        "agreements.yaml": 2,
        "approvals.yaml": 1,
        "clients.yaml": 2,
        "people.yaml": 2,
    }


def test_a_broken_file_does_not_make_every_reference_to_it_wrong(folder: Path) -> None:
    """When clients.yaml cannot be parsed, only that is said, not that each agreement's client is missing."""
    edit(folder, "clients.yaml", "{net_days: 14}", "{net_days: 14")
    problems = read_folder(folder).problems
    assert [problem.file for problem in problems] == ["clients.yaml"]


@pytest.mark.parametrize(
    ("prepare", "file", "says"),
    [
        (lambda folder: (folder / "dunning.yaml").unlink(), "dunning.yaml", "the file is missing"),
        (lambda folder: (folder / "people.yaml").write_text("# nobody\n"), "people.yaml", "the list is empty"),
        (lambda folder: (folder / "company.yaml").write_text(""), "company.yaml", "'name' is missing"),
        (lambda folder: (folder / "people.yaml").write_bytes(b"- id: \xff\xfe\n"), "people.yaml", "not UTF-8"),
        (lambda folder: (folder / "client.yaml").write_text("[]"), "client.yaml", "not read; did you mean 'clients.yaml'?"),
        (lambda folder: (folder / "agreements.yml").write_text("[]"), "agreements.yml", "did you mean 'agreements.yaml'?"),
    ],
)  # fmt: skip
def test_files_that_are_missing_empty_or_misnamed_are_told(
    folder: Path, prepare: Callable[[Path], object], file: str, says: str
) -> None:
    """A file that is missing, empty, unreadable or has a wrong name is named."""
    prepare(folder)
    assert any(each.file == file and says in each.message for each in read_folder(folder).problems)


def test_a_folder_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    """A wrong path ends in one sentence that says how to write a folder."""
    reading = read_folder(tmp_path / "nowhere")
    assert [each.message for each in reading.problems] == [
        f"there is no folder {tmp_path / 'nowhere'}; write one with: billow init {tmp_path / 'nowhere'}"
    ]


def test_agreements_may_be_split_over_files(folder: Path) -> None:
    """Files in agreements/ are read like agreements.yaml; a problem names the file it stands in."""
    (folder / "agreements").mkdir()
    whole = (folder / "agreements.yaml").read_text().replace("first-retainer", "second-retainer")
    (folder / "agreements" / "second.yaml").write_text(whole)
    company = read_folder(folder).company
    assert company is not None
    assert [each.id for each in company.agreements] == ["first-retainer", "second-retainer"]
    (folder / "agreements" / "second.yaml").write_text(whole.replace("second-retainer", "first-retainer"))
    problem = read_folder(folder).problems[0]
    assert (problem.file, problem.line) == ("agreements/second.yaml", 3)
    assert "taken already" in problem.message


def test_values_keep_their_text(folder: Path) -> None:
    """Figures are exact decimals, Norway stays a country, leading zeros and times of day stay what they are."""
    edit(folder, "agreements.yaml", "1200.00", "0.10")
    edit(
        folder,
        "issuers.yaml",
        'postcode: "10115", city: Berlin, country: DE',
        "postcode: 01067, city: X, country: NO",
    )
    edit(folder, "dunning.yaml", "- id: standard\n", "- id: standard\n  opens: 08:30\n  closes: 17:00\n")
    company = read_folder(folder).company
    assert company is not None
    agreement, address = company.agreements[0], company.issuers[0].address
    assert isinstance(agreement, Retainer)
    assert str(agreement.amount) == "0.10"
    assert (address.postcode, address.country) == ("01067", "NO")
    assert (str(company.dunning[0].opens), str(company.dunning[0].closes)) == ("08:30:00", "17:00:00")


def test_opening_items_are_checked_with_the_folder(tmp_path: Path) -> None:
    """An open item of an unknown client, one that does not add up and one paid in full are told by line."""
    write_sample(tmp_path, date(2026, 11, 22))
    file = "data/opening_items.yaml"
    edit(tmp_path, file, "client: hudson", "client: hudsen")
    edit(tmp_path, file, "tax: 351.50", "tax: 351.55")
    edit(tmp_path, file, "paid: 4000.00", "paid: 9600.00")
    problems: list[Problem] = errors(read_folder(tmp_path).problems)
    assert [(each.where, each.message.partition(";")[0]) for each in problems] == [
        ("R-1041", "net 1850.00 and tax 351.55 do not sum to gross 2201.50"),
        ("R-1033.client", "there is no client 'hudsen'"),
        ("R-1024.paid", "9600.00 of 9600.00 is paid: nothing is open"),
    ]


def test_discounts_are_read_and_checked(folder: Path) -> None:
    """The file is optional; its rules become part of the company, and what does not fit in them is told by line."""
    assert (company := read_folder(folder).company) is not None and company.discounts == ()
    good = "- id: spring\n  title: Spring\n  percent: 5\n  until: 2026-05-31\n"
    (folder / "discounts.yaml").write_text(good)
    assert (company := read_folder(folder).company) is not None
    assert [(each.id, str(each.percent)) for each in company.discounts] == [("spring", "5")]
    bad = good + "- id: spring\n  title: Big\n  amount: 5.001\n  currency: EUR\n  clients: [nobody]\n"
    (folder / "discounts.yaml").write_text(bad)
    assert [(each.file, each.line) for each in errors(read_folder(folder).problems)] == [
        ("discounts.yaml", 5),
        ("discounts.yaml", 7),
        ("discounts.yaml", 9),
    ]
    (folder / "discounts.yaml").write_text(good.replace("  percent: 5\n", ""))
    assert any("exactly one of percent" in each.message for each in read_folder(folder).problems)
