"""Take screenshots of every state of the app, wide and narrow, light and dark.

    python benchmarks/screenshots.py             # all states, into screenshots/
    python benchmarks/screenshots.py --readme    # only docs/screenshot.png

The model is the shipped checkpoint, or MODEL.
"""

import argparse
import csv
import random
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from app_server import CHROMIUM_ARGUMENTS, REPOSITORY, serve
from playwright.sync_api import Browser, Page, Route, sync_playwright

sys.path.insert(0, str(REPOSITORY))

from sentiment_gru.web.examples import EXAMPLES
from tests.browser.checks import wait_for_transitions

SCREENSHOTS = REPOSITORY / "screenshots"
STAGES = ("cell", "weights", "unit")  # cards with a drawing, and no question
README_PICTURE = REPOSITORY / "docs" / "screenshot.png"
WIDTHS = {"wide": 1280, "narrow": 390}
THEMES: list[Literal["light", "dark"]] = ["light", "dark"]
TOKEN = "a token of the teacher"
TEXTS = {
    "positive": "I loved every minute of it. The cast is wonderful and the ending is beautiful.",
    "neutral": "The concert starts at eight on Saturday, doors open at seven.",
    "negative": "Dull, far too long and badly acted. What a waste of two hours.",
    "uncertain": "Not bad at all.",
    "unknown": "Blorf zindle quaxotl vrimp",
    "empty": "",
}
LONG_TEXT = "\n".join(text for text in EXAMPLES.values()) * 2  # more than 400 tokens
FILE_ROWS = [
    (TEXTS["positive"], "positive"),
    ("A lovely café scene, and the songs are a joy.", "positive"),
    ("Not bad at all.", "positive"),
    (TEXTS["negative"], "negative"),
    ("I wanted to like it. I did not.", "negative"),
    ("A great idea, badly told.", "negative"),
    (TEXTS["neutral"], "neutral"),
    ("It runs for two hours and was shot in Lisbon.", "neutral"),
    ("", "neutral"),
]
REPORT = "Error id: 00000000-0000-0000-0000-000000000000\nVersion: 0.1.0\nKind: RuntimeError\nWhat I did: "


def main() -> None:
    """Serve the app and take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readme", action="store_true", help="write docs/screenshot.png and nothing else")
    readme = parser.parse_args().readme
    with TemporaryDirectory() as folder, sync_playwright() as playwright, serve(**settings_in(folder)) as address:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        if readme:
            page = open_page(browser, address, 1280, "light")
            README_PICTURE.parent.mkdir(exist_ok=True)
            page.screenshot(path=README_PICTURE, full_page=True)
            return
        for width_name, width in WIDTHS.items():
            for theme in THEMES:
                for tab in (shoot_sentiment, shoot_quiz, shoot_class, shoot_inside, shoot_files):
                    tab(open_page(browser, address, width, theme), camera(f"{width_name}-{theme}"))


def settings_in(folder: str) -> dict[str, str]:
    """Return the settings for a database in a folder and a teacher's page."""
    return {"DATABASE_URL": f"sqlite:///{folder}/quiz.sqlite3", "TEACHER_TOKEN": TOKEN}


def open_page(browser: Browser, address: str, width: int, theme: Literal["light", "dark"]) -> Page:
    """Open the app and wait for the first example and its explanation."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)
    page.goto(f"{address}?__theme={theme}")
    page.wait_for_selector(".verdict-diagnostics")
    page.wait_for_selector("#sentiment-why .token")
    return page


def camera(suffix: str) -> Callable[[Page, str], None]:
    """Return a function that saves a screenshot of a page under the name of its state."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def shoot(page: Page, state: str) -> None:
        wait_for_transitions(page)
        path = SCREENSHOTS / f"{state}-{suffix}.png"
        # A modal dialog covers only the viewport: the rest of a long page would look uncovered.
        page.screenshot(path=path, full_page=not page.locator("dialog[open]").count())
        print(path.relative_to(REPOSITORY))

    return shoot


def judge(page: Page, text: str) -> None:
    """Enter a text and wait for its verdict and explanation."""
    page.get_by_label("Your text").fill(text)
    page.get_by_label("Your text").press("Enter")
    wait_for_explanation(page, text)


def wait_for_explanation(page: Page, text: str) -> None:
    """Wait for the explanation of a text; an empty text has none."""
    page.wait_for_function(
        """text => {
            const json = document.querySelector('.why')?.dataset.explanation;
            const explanation = JSON.parse(json ?? '{"text": "", "attributions": [0]}');
            return explanation.text === text && Object.keys(explanation.attributions).length > 0;
        }""",
        arg=text,
    )


def shoot_sentiment(page: Page, shoot: Callable[[Page, str], None]) -> None:
    """Take the states of the Sentiment tab."""
    page.locator(".why").wait_for()
    shoot(page, "sentiment-1-worked-example")
    page.locator(".token").nth(8).click()
    shoot(page, "sentiment-2-token-chosen")
    page.get_by_text("How sure can I be of this?").click()
    for name in ("Leave one out", "As read"):
        page.get_by_role("radio", name=name).check()
        shoot(page, f"sentiment-3-{name.lower().replace(' ', '-')}")
    page.get_by_role("radio", name="Integrated gradients").check()
    shoot_questions(page, shoot)
    for state, text in TEXTS.items():
        judge(page, text)
        shoot(page, f"sentiment-5-{state}")
    page.get_by_role("button", name="A long review", exact=True).click()
    wait_for_explanation(page, EXAMPLES["A long review"])
    page.get_by_role("button", name="About this model").click()
    shoot(page, "sentiment-6-long-and-about")
    page.get_by_role("button", name="About this model").click()
    judge(page, LONG_TEXT)
    page.locator(".token", has_text="superb").last.click()
    shoot(page, "sentiment-7-longer")
    page.route("**/gradio_api/run/**", fail)
    page.get_by_role("button", name="Get the verdict").click()
    page.get_by_label("Report").wait_for()
    shoot(page, "sentiment-8-failure")


def shoot_questions(page: Page, shoot: Callable[[Page, str], None]) -> None:
    """Take a what-if answer, the smallest deletion, and heat maps, with a token chosen."""
    page.get_by_role("button", name="What if?").click()
    page.get_by_label("Replace it").check()
    page.get_by_label("Replacement").fill("mildly")
    page.get_by_role("button", name="Try it").click()
    page.locator("#sentiment-changed table").wait_for()
    shoot(page, "sentiment-4-what-if")
    page.get_by_role("button", name="Find the smallest deletion").click()
    page.get_by_text("Found greedily").wait_for()
    shoot(page, "sentiment-4-flip")
    page.get_by_role("button", name="What if?").click()
    page.get_by_role("button", name="Every unit").click()
    for gate in ("Update gate z", "Hidden state h"):
        page.get_by_role("radio", name=gate).check()
        page.locator(f".heat-map[aria-label^={gate[-1]}]").first.wait_for()
        shoot(page, f"sentiment-4-{gate.lower().replace(' ', '-')}")
    page.get_by_role("button", name="Every unit").click()


def fail(route: Route) -> None:
    """Answer an event like a server whose handler raises."""
    route.fulfill(status=500, json={"error": REPORT})


def shoot_quiz(page: Page, shoot: Callable[[Page, str], None]) -> None:
    """Take the states of the Quiz tab: each type of question, open, right and wrong, and the end of a session."""
    page.get_by_role("tab", name="Quiz").click()
    page.locator("#quiz-options li").first.wait_for()
    shoot(page, "quiz-1-open-choice")
    page.locator("#quiz-hint").click()
    page.get_by_text("Count the gates").wait_for()
    shoot(page, "quiz-2-hint")
    page.locator("#quiz-options li").filter(has_text="The output gate").click()
    page.locator("#quiz-next").wait_for()
    shoot(page, "quiz-3-right-choice")
    page.locator("#quiz-prove").click()
    page.locator("#quiz-proof .proof").wait_for()
    shoot(page, "quiz-4-proof-right")
    page.locator("details.quiz-live > summary").click()
    page.locator("gru-sliders .stage-caption").wait_for()
    shoot(page, "quiz-4-live-card")
    places = (("Reset placement", "options .quiz-multi"), ("Update gate", "number"), ("Update gate", "sliders"))
    for topic, place in places:
        start(page, topic)
        while not page.locator(f"#quiz-{place}").is_visible():
            answer_and_go_on(page)
        place = place.split("-")[-1]
        shoot(page, f"quiz-1-open-{place}")
        answer(page)
        shoot(page, f"quiz-3-wrong-{place}")
        page.locator("#quiz-prove").click()
        page.locator("#quiz-proof .proof").wait_for()
        shoot(page, f"quiz-4-proof-wrong-{place}")
    start(page, "Start where I belong")
    while not page.locator("#quiz-results").is_visible():
        answer_and_go_on(page)
    shoot(page, "quiz-5-level-found")
    start(page, "Mixed")
    for _ in range(10):
        answer_and_go_on(page)
    page.locator("#quiz-levels table").wait_for()
    shoot(page, "quiz-5-results")
    page.get_by_role("radio", name="No", exact=True).check()
    page.get_by_label("How can we improve it?").fill("More on how a GRU is trained.")
    page.locator("#quiz-send").click()
    page.get_by_text("Thank you.").wait_for()
    shoot(page, "quiz-6-thanks")


def shoot_class(page: Page, shoot: Callable[[Page, str], None]) -> None:
    """Take an exam from both sides: the teacher's pages, and the learner's questions and end."""
    app = page.url.partition("?")[0]
    page.goto(f"{app}teacher")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    shoot(page, "class-1-teacher")
    page.get_by_role("link", name="Classes").click()
    shoot(page, "class-2-new")
    page.get_by_label("Title").fill("GRU, week 3")
    page.get_by_label("Or the questions themselves").fill("gru-anatomy-001\ngru-placement-006")
    page.get_by_label("Deadline, in UTC").fill(f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}")
    page.get_by_label("Right answers and results").select_option("after deadline")
    page.get_by_role("button", name="Make the class").click()
    link = page.get_by_role("link", name="#class=").first.inner_text()
    shoot(page, "class-3-made")
    page.goto(f"{app}{link}")
    page.locator("#quiz-class-join").wait_for()
    shoot(page, "class-4-join")
    page.get_by_label("Nickname, or nothing").fill("Ada")
    page.get_by_role("button", name="Begin").click()
    page.get_by_text("You are Ada").wait_for()
    for number in (1, 2):
        page.get_by_text(f"Question {number} of 2").wait_for()
        page.wait_for_timeout(500)
        shoot(page, f"class-5-question-{number}")
        page.locator("#quiz-options button").first.click()
        page.locator("#quiz-submit").click()
    page.get_by_text("Your answers are in").wait_for()
    shoot(page, "class-6-answered")
    page.goto(f"{app}teacher/classes")
    page.get_by_role("link", name="GRU, week 3").click()
    shoot(page, "class-7-results")
    page.get_by_role("link", name="Delete them now").click()
    shoot(page, "class-8-delete")
    page.get_by_role("button", name="Delete the class and its answers").click()
    page.get_by_text("There is no class yet.").wait_for()


def start(page: Page, scope: str) -> None:
    """Start a session of the first scope whose name begins like this."""
    shown = "['#quiz-stem', '#quiz-progress'].map(name => document.querySelector(name)?.innerText).join()"
    before = page.evaluate(shown)
    page.get_by_label("Which questions?").click()
    page.get_by_role("option", name=scope).first.click()
    page.locator("#quiz-start").click()
    page.wait_for_function(f"before => {shown} !== before", arg=before)
    page.locator("#quiz-stem").wait_for()
    page.wait_for_timeout(300)


def answer(page: Page) -> None:
    """Answer with the first option, with 0.5, or with all sliders at 1; to order or match, say "I don't know"."""
    if page.locator("#quiz-number").is_visible():
        page.get_by_label("Your answer").fill("0.5")
        page.locator("#quiz-submit").click()
    elif page.locator("#quiz-sliders").is_visible():
        for slider in page.get_by_role("slider").all():
            slider.fill("1")
        page.locator("#quiz-submit").click()
    elif page.locator("#quiz-options :is(.quiz-order, .quiz-match)").is_visible():
        page.locator("#quiz-skip").click()
    else:
        multiple = page.locator("#quiz-options .quiz-multi").is_visible()
        page.locator("#quiz-options li").first.click()
        if multiple:
            page.locator("#quiz-submit").click()
    page.locator("#quiz-next").wait_for()


def answer_and_go_on(page: Page) -> None:
    """Answer the open question and open the next one."""
    answer(page)
    page.locator("#quiz-next").click()
    page.locator("#quiz-next").wait_for(state="hidden")
    page.wait_for_timeout(200)


def shoot_inside(page: Page, shoot: Callable[[Page, str], None]) -> None:
    """Take the cards of the tab Inside the GRU, those that ask a question before and after its answer."""
    page.get_by_role("tab", name="Inside the GRU").click()
    page.locator("#inside-prose h3").first.wait_for()
    for number, card in enumerate(page.locator("#inside-cards input").all(), start=1):
        card.check(force=True)  # the input itself is not visible
        name = card.input_value()
        page.locator(f"#inside-{name}").wait_for()
        if name in STAGES:
            page.locator(f"#inside-{name}-picture .stage-drawing").wait_for()
            shoot(page, f"inside-{number}-{name}")
            continue
        shoot(page, f"inside-{number}-{name}")
        if name == "train":
            page.locator("#inside-train-start").click()
            page.get_by_text("Learned after").wait_for()
            shoot(page, f"inside-{number}-{name}-learned")
            continue
        page.locator(f"#inside-{name}-show").click()
        page.locator(f"#inside-{name} .main-svg, #inside-{name}-answer p, #inside-{name} table").first.wait_for()
        shoot(page, f"inside-{number}-{name}-answered")


def clear_file(page: Page) -> None:
    """Remove the file and wait for the server's answer, which would otherwise clear the preview of the next file."""
    page.get_by_role("button", name="Clear").click()
    page.locator("#files-found").get_by_text("rows").first.wait_for(state="hidden")


def shoot_files(page: Page, shoot: Callable[[Page, str], None]) -> None:
    """Take the states of the Files tab: files with and without labels, in progress, stopped and refused."""
    page.get_by_role("tab", name="Files").click()
    shoot(page, "files-1-empty")
    with TemporaryDirectory() as folder:
        draws = random.Random(0)
        labelled = [[i, *draws.choice(FILE_ROWS)] for i in range(2_000)]
        plain = [[i, text, "an aisle seat", 4] for i, text, _ in labelled]
        long = [[i, f"{TEXTS['positive']} {TEXTS['negative']} " * 5] for i in range(20_000)]
        files = {
            "labelled": write_rows(Path(folder, "reviews.csv"), [["id", "review", "label"], *labelled]),
            "plain": write_rows(Path(folder, "survey.csv"), [["id", "answer", "seat", "stars"], *plain], "cp1252", ";"),
            "long": write_rows(Path(folder, "long.csv"), [["id", "text"], *long]),
            "empty": write_rows(Path(folder, "empty.csv"), []),
        }
        for name in ("labelled", "plain"):
            page.set_input_files("#files-upload input[type=file]", files[name])
            page.locator("#files-found").get_by_text("2,000 rows").wait_for()
            shoot(page, f"files-2-preview-{name}")
            page.locator("#files-start").click()
            page.locator("#files-results").get_by_text("rows scored.").wait_for()
            shoot(page, f"files-4-done-{name}")
            clear_file(page)
        page.set_input_files("#files-upload input[type=file]", files["long"])
        page.locator("#files-found").get_by_text("20,000 rows").wait_for()
        page.locator("#files-start").click()
        page.locator("#files-progress").get_by_text("left").wait_for()
        shoot(page, "files-3-running")
        page.locator("#files-cancel").click()
        page.locator("#files-results").get_by_text("Stopped.").wait_for()
        shoot(page, "files-5-stopped")
        clear_file(page)
        page.set_input_files("#files-upload input[type=file]", files["empty"])
        page.locator("#files-found").get_by_text("That did not work.").wait_for()
        page.get_by_role("button", name="Or paste lines").click()
        shoot(page, "files-6-refused-and-paste")


def write_rows(path: Path, rows: Sequence[Sequence[object]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """Write a CSV file."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


if __name__ == "__main__":
    main()
