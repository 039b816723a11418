"""The chapter "Gated Recurrent Units" in short, and its place in a course "Introduction to RNNs"."""

COURSE = {
    "Recurrent networks": "One state, rewritten at every step.",
    "Gated recurrent units": "Two gates decide what is kept. You are here.",
    "Advanced variants": "LSTM, two directions, several layers.",
    "Time series": "The same cells, with numbers for words.",
    "Sentiment": "A text read to its end, then judged: this app.",
}
HERE = "Gated recurrent units"

CHAPTER = r"""
### Memory, and how it fades
A recurrent network reads a sequence step by step and carries one vector along, its state $h$. A plain RNN writes the
whole state anew each time, $h_t=\tanh(Wx_t+Uh_{t-1}+b)$. What it saw long ago survives only if it comes through all
of these rewritings, and so does the gradient on its way back: it is multiplied by a similar matrix at every step. If
that shrinks it, the gradient *vanishes*, and what stands far apart is not learned together.

### The cell
A gated recurrent unit does not rewrite its state, it mixes: a share of the old state is copied as it is, and the rest
comes from a *candidate* $n$.

- The **reset gate** $r$ decides how much of the old state the candidate sees.
- The **update gate** $z$ sets the shares of old state and candidate.

Both are numbers between 0 and 1, one for each unit and step, computed from the input and the old state. Where the
copied share stays near 1, state and gradient pass through unchanged. That is learned, not given.

### Beside an LSTM
An LSTM carries two vectors, a cell state and an output, and has three gates. A GRU couples what the LSTM's forget and
input gates do apart, has no output gate, and shows its state as it is. That saves a block of weights.

### Where it is used
- **Speech recognition** and other audio: small models that follow a stream on a device.
- **Language modelling** and **machine translation**, for which it was invented; by now both belong to transformers.
- **Time series**: load, sensors, prices.
- **Real-time use**: each step costs the same, however long the past; a transformer's grows.

It is a poor choice where much text and computing power are at hand, where single steps of a far past must be looked up
exactly, or where training has to run over all steps at once: a recurrence takes them one after the other.
"""


def course_map() -> str:
    """Return the chapters of the course, in their order, as HTML."""
    items = "".join(
        f"<li{' aria-current=true' if name == HERE else ''}><strong>{name}</strong><span>{about}</span></li>"
        for name, about in COURSE.items()
    )
    return f'<nav aria-label="The course: Introduction to RNNs"><ol class="course">{items}</ol></nav>'
