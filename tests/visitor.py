"""The page as its visitor uses it, in a real browser."""

from pathlib import Path

from playwright.sync_api import Page

PATIENCE = 90_000  # ms; a busy machine traces slowly


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
        """Wait until the server has nothing left to do for this page."""
        self.page.wait_for_selector("[data-testid=stAppViewContainer]")
        self.page.wait_for_function(
            "document.querySelector('.stApp').getAttribute('data-test-script-state') === 'notRunning'"
        )

    def pictures(self) -> list[str]:
        """The addresses of the pictures shown; they change with their content."""
        images = self.page.locator("[data-testid=stImage] img")
        return [str(image.get_attribute("src")) for image in images.all()]

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def upload(self, path: Path) -> None:
        self.page.get_by_role("radio", name="Upload").click()
        self.wait()
        self.page.locator(".st-key-upload input").set_input_files(path)
        self.page.wait_for_timeout(500)
        self.wait()
