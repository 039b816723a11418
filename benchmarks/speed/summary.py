"""The README's text on results/serving.json."""

from typing import Any

NAMES = {
    "gru": "this GRU, from text to verdict",
    "gru_onnxruntime": "the same with ONNX Runtime for many texts, too",
    "distilbert": "DistilBERT, without tokenizing",
    "nbsvm": "NB-SVM, words to 3-grams",
    "vader": "VADER, a word list with rules",
    "matrix_products": "the matrix products of this GRU, and nothing else",
}


def speed_block(measured: dict[str, Any]) -> str:
    """Return a table of the rivals, and what was measured of files, start, page and memory."""
    single, batch = measured["one_text"], measured["batch"]
    rows = [
        f"| | {' | '.join(f'{int(tokens):,} tokens: p50, p95' for tokens in single)}"
        f" | times the GRU at 250 | {batch['texts']} texts of {batch['tokens']} at once: a second | times the GRU |",
        f"|{'---|' * (len(single) + 4)}",
    ]
    for name, title in NAMES.items():
        times = [
            "{p50:,g}, {p95:,g} ms".format(**{k: round(v, 2) for k, v in found["milliseconds"][name].items()})
            for found in single.values()
        ]
        alone, together = (part["times_the_gru"].get(name, 1) for part in (single["250"], batch))
        rows.append(
            f"| {title} | {' | '.join(times)} | {alone:,g} | {batch['texts_per_second'][name]:,.4g} | {together:,g} |"
        )
    return "\n".join([*rows, "", _sentences(measured)])


def _sentences(measured: dict[str, Any]) -> str:
    batch, throughput = measured["batch"], measured["throughput"]
    start, page = measured["start"], measured["first_page_seconds"]
    low, high = measured["load"]
    return (
        f"Times are compared turn by turn, on one thread of {measured['machine']}, {measured['date']}, load {low} to"
        f" {high} (`make bench`). Of what the matrix products alone would allow, batches reach"
        f" {batch['share_of_the_bound']:.0%}, and {batch['share_of_the_bound_without_tokenizing']:.0%} if the texts are"
        f" tokenized already; the bound multiplies the input of every token, the GRU that of every distinct one. Texts"
        f" of {throughput['tokens']} tokens a second on one thread and on all cores: {_pairs(throughput['reviews'])}."
        f" A CSV file of {throughput['words_per_row']} words a row, rows a second: {_pairs(throughput['rows'])}.\n\n"
        f"From `python app.py` to the first answer {start['seconds_to_first_200']:.1f} s (an empty Gradio app:"
        f" {start['empty_seconds_to_first_200']:.1f} s), to the first verdict"
        f" {start['seconds_to_first_verdict']:.1f} s. The first page takes {page['app']:.2f} s in Chromium, that of an"
        f" empty app {page['empty']:.2f} s. The process holds {start['megabytes_after_first_verdict']:.0f} MB after the"
        f" first verdict, {start['megabytes_after_classifications']:.0f} MB after {start['classifications']} more."
    )


def _pairs(found: dict[str, list[int]]) -> str:
    """Return figures by runtime and number of threads."""
    return ", ".join(f"{name} {' and '.join(f'{count:,}' for count in counts)}" for name, counts in found.items())
