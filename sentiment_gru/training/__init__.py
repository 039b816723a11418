"""From labelled texts to a checkpoint folder with its measurements; `run.train` does it all."""
