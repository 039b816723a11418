"""The texts behind the example chips: one for each thing that makes sentiment hard."""

EXAMPLES = {
    "A turn": "The first hour drags, but the ending is so beautiful that I forgave it everything.",
    "Negation": "Not bad at all. I did not expect to like it, and I was not disappointed for a minute.",
    "Sarcasm": "Oh great, another sequel nobody asked for. Two hours of my life well spent, really.",
    "Neutral": "The film opens on Friday. It runs for two hours and was shot in Lisbon.",
    "Unknown words": "Blorf zindle quaxotl vrimp",
    "Long": (
        "I went in expecting very little. The trailer gave away half the plot, the posters were dreadful, and the "
        "last two films by this director put me to sleep. The opening did nothing to change my mind: ten minutes of "
        "people explaining things to each other in a car.\n\n"
        "Then, quite suddenly, it wakes up. The daughter arrives, the house fills with people, and every scene has "
        "something in it worth watching: a look, a joke that lands, a silence held just long enough. The supporting "
        "cast is superb, and the score knows when to stay out of the way.\n\n"
        "It is not perfect. The subplot about the neighbour goes nowhere, and the dream sequence should have been cut. "
        "But I laughed, I cried a little, and I have been thinking about the last shot ever since. Go and see it with "
        "somebody you have argued with."
    ),
}
