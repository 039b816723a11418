"""Train the student: the labelled texts of all corpora, soft labels of teachers, and twins of texts."""

import time
from collections.abc import Sequence

from transformers import EarlyStoppingCallback, set_seed

from ..checkpoint import save_checkpoint
from ..data.soft_labels import SoftLabels
from ..data.splits import Corpus, JoinedSplit, held_out
from ..labels import POLES
from ..training.callbacks import SaveWithinEpochs
from ..training.datasets import join_train
from ..training.options import TrainingOptions
from ..training.output_folder import RunFolder
from ..training.report import calibrate, write_report
from ..training.run import dev_metrics, load_initial, run_trainer, training_arguments
from ..training.trainer import EncodedTexts
from .pairing import PairCollator, PairedTexts, PairedTrainer, TermSwapper


def train_on_soft_labels(
    options: TrainingOptions, corpora: Sequence[Corpus], soft: Sequence[SoftLabels], pairing: float
) -> None:
    """Train from the options' initial checkpoint, or go on with a training that was stopped.

    Args:
        options: of the training.
        corpora: under the split rule.
        soft: opinions of teachers, which replace labels or add texts.
        pairing: weight of the difference between the logits of a text and of its twin; 0 for no twins.

    Raises:
        KeyboardInterrupt: the training was stopped before its end.
    """
    started = time.perf_counter()
    run = RunFolder(options)
    options.resume = run.record.is_file()
    run.check()
    set_seed(options.seed)
    unwanted = held_out(corpora)
    soft = [part.without(unwanted) for part in soft]
    texts = join_train(corpora, soft)
    dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
    options, model, tokenizer = load_initial(options, POLES)
    targets = {text: target for part in soft for text, target in part.targets().items()}
    twins = TermSwapper(options.seed).twins(texts.split.texts) if pairing else {}
    trainer = PairedTrainer(
        pairing=pairing,
        ema_decay=options.ema_decay,
        absent_weight=options.absent_weight,
        adversarial=options.adversarial,
        model=model,
        args=training_arguments(options),
        train_dataset=PairedTexts(texts, tokenizer, POLES, options.train_tokens, targets, twins),
        eval_dataset=EncodedTexts(dev, tokenizer, POLES, options.train_tokens),
        data_collator=PairCollator(tokenizer),
        compute_metrics=dev_metrics(dev, POLES),
        callbacks=[EarlyStoppingCallback(options.patience), SaveWithinEpochs(options.save_steps)],
    )
    facts = run_trainer(trainer, run, [texts.split, dev.split])
    if facts["interrupted"]:
        raise KeyboardInterrupt
    with run.staging() as folder:
        save_checkpoint(trainer.model, tokenizer, folder)
        calibrate(folder, dev)
        facts |= {"minutes": round((time.perf_counter() - started) / 60, 1), "twins": len(twins)}
        write_report(folder, options, corpora, trainer.state.log_history, facts)
    run.remove()
