"""The page as its visitor uses it, in a real browser."""

from pathlib import Path

from playwright.sync_api import Locator, LocatorAssertions, Page, expect

PATIENCE = 90_000  # ms; a busy machine traces slowly
expect.set_options(timeout=PATIENCE)

ALERT = "[data-testid=stAlert]"
HEADING = "[data-testid=stMain] h1"
MAP = ".viewer .map canvas.picture"
PICTURE = "[data-testid=stImage] img"
SIDEBAR = "[data-testid=stSidebar]"

IDLE_FOR_A_SECOND = """() => {
    const state = document.querySelector(".stApp").getAttribute("data-test-script-state");
    window.idleSince = state === "notRunning" ? window.idleSince ?? performance.now() : undefined;
    return performance.now() - window.idleSince > 1000;
}"""


class Explorer:
    """The page as its visitor uses it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.outside: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", self._note_request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note_request(self, request) -> None:
        if not request.url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.outside.append(request.url)

    def open(self, path: str = "/") -> None:
        self.page.goto(self.address + path)
        self.wait()

    def wait(self) -> None:
        """Wait until the server has had nothing to do for this page for a second."""
        self.page.wait_for_selector("[data-testid=stAppViewContainer]")
        self.page.evaluate("window.idleSince = undefined")
        self.page.wait_for_function(IDLE_FOR_A_SECOND)

    def expect(self, selector: str) -> LocatorAssertions:
        """Say what an element must become, however long the server takes."""
        return expect(self.page.locator(selector))

    def pictures(self) -> list[str]:
        """The addresses of the pictures shown; they change with their content."""
        images = self.page.locator(PICTURE)
        return [str(image.get_attribute("src")) for image in images.all()]

    def viewer(self) -> Locator:
        """The viewer, once it has drawn; one that Streamlit is about to take away is waited out."""
        self.expect(f"{MAP}[aria-label]").to_have_count(1)
        self.expect(".viewer").to_have_count(1)
        return self.page.locator(".viewer")

    def trace(self) -> dict:
        """What the viewer shows, once it has drawn it: the facts of the clip, and the address of its arrays."""
        return self.viewer().evaluate("viewer => viewer.store.state.trace")

    def follow(self, title: str, section: str = "") -> None:
        """Go to another page by the navigation, there in a section or by itself."""
        if section:
            self.page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
        self.page.get_by_role("menuitem" if section else "link", name=title, exact=True).click()
        self.expect(HEADING).to_have_text(title)
        self.wait()

    def open_section(self, title: str) -> None:
        """Open what is drawn below the viewer only when somebody asks for it."""
        self.page.get_by_text(title, exact=True).click()
        self.wait()

    def upload(self, path: Path) -> None:
        self.page.get_by_role("radio", name="Upload").click()
        self.wait()
        self.page.locator(".st-key-upload input").set_input_files(path)
        self.wait()
