"""The longest invoice there is to be: 1,500 lines."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader

from activities.documents.look import PLAIN
from activities.documents.pool import SECONDS, RenderingPool
from tests.activities.documents.test_pages import BROUGHT, CARRIED, amount
from tests.golden import awkward

LINES = 1500


@pytest.mark.scale
def test_1500_lines() -> None:
    """It breaks no rule, is done in the time a job has, numbers its pages, loses no line, and every page adds up."""
    document = awkward.lines(LINES)
    with RenderingPool(1, seconds=SECONDS) as pool:
        assert pool.validate(document, PLAIN) == ()
        pdf = pool.render(document, PLAIN).pdf
    pages = [
        page.extract_text().replace("\N{NO-BREAK SPACE}", " ") for page in PdfReader(io.BytesIO(pdf)).pages
    ]
    found = re.findall(r"OPS-(\d+)", "\n".join(pages))
    assert [int(each) - 4000 for each in found] == list(range(1, LINES + 1))
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        rows = re.findall(r" hours 118\.50 ([\d,]+\.\d\d)$", page, re.MULTILINE)
        reached = sum(map(amount, (*BROUGHT.findall(page), *rows)))
        if number < len(pages):
            assert reached == amount(*CARRIED.findall(page))
        else:
            assert rows and reached == document.draft.net
