"""Changes collected in a real browser: added by the button, typed, and taken back by their crosses."""

import pytest
from visitor import Explorer

pytestmark = pytest.mark.browser


def test_changes_are_added_typed_and_taken_back(explorer: Explorer):
    explorer.open("/what-if?sample=vowels&layer=4&head=2")
    page = explorer.expect("[data-testid=stMain]")
    page.to_contain_text("Changed: head off in layer 4 head 2. ")
    explorer.page.get_by_role("button", name="Add this change").click()
    explorer.page.get_by_role("button", name="Remove head off in layer 4 head 2").wait_for()
    field = explorer.page.locator(".st-key-changes input")
    field.fill("gate 1.5 in layer 2")
    field.press("Enter")
    page.to_contain_text("Changed: head off in layer 4 head 2, gate 1.5 in layer 2. ")
    explorer.page.wait_for_url("**changes=head+off+in+layer+4+head+2&changes=gate+1.5+in+layer+2")
    field.press("Escape")
    explorer.page.get_by_role("button", name="Remove head off in layer 4 head 2").click()
    page.to_contain_text("Changed: gate 1.5 in layer 2. ")
    explorer.page.wait_for_url(lambda url: "head+off" not in url and "changes=gate+1.5+in+layer+2" in url)
