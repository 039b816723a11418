"""No visitor meets a bare "Error": an event that raises answers with a report, which the page shows in a dialog.

Gradio tells the page of an unqueued event only that it failed. `studio.js` reads the answer and opens the dialog.
"""

from typing import Any

import gradio as gr

from sentiment_gru.failure import failure_html, log_failure


class GuardedBlocks(gr.Blocks):
    """A page whose exceptions are logged, and replaced by one whose message is fit for the visitor.

    That is: of reading what came, of the handler, and of writing what goes back; also of tabs filled later. A
    `gr.Error` has such a message already. Gradio would print each of them, with what the visitor had sent.
    """

    async def process_api(self, *arguments: Any, **settings: Any) -> dict[str, Any]:
        """Take one step of an event; Gradio calls this for every one.

        Raises:
            gr.Error: it failed.
        """
        try:
            return await super().process_api(*arguments, **settings)
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:
            raise gr.Error(log_failure(error).report, print_exception=False) from error


def add_failure_dialog() -> None:
    """Add the dialog, closed, to the surrounding `gr.Blocks`."""
    close = '<form method="dialog"><button>Close</button></form>'
    html = f'<dialog id="studio-failure" aria-label="Failure">{failure_html("")}{close}</dialog>'
    gr.HTML(html, apply_default_css=False, elem_id="studio-failure-place")
