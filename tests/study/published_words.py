"""What the page on published corpora says whatever the numbers are: questions, measures, and what differs."""

HEAD = """# Published corpora, studied again

Written by `python -m tests.study.published`: {audits} audits of {files} files that others published, and one study
through a design. What the authors published of them stands beside ours. No language model was run, and no document of theirs is shown.

What is ours is micro-F1, which with one label per document is accuracy, and its difference to the *row twin*: the same real documents
with as many copies of them as the file has accepted rows. An audit does not show the raw gain over real documents alone;
the design below does, beside the gain over the twin."""

KINIT_HEAD = """## kinit: three open models, two strategies, two ways of asking

Published: F1 of fine-tuned BERT on AG News (which F1 is not said), for each model, strategy, way of asking and draw of 20 real
documents per class; each score a mean of ten fine-tunings. The file has no score without synthetic documents, so the sign of a gain cannot be compared: only differences
between files can. Ours: the difference between the two files' effects against their twins, draw by draw, so that the size
of a file is taken off; theirs is a difference between scores, in which it is not. Both are
means of the draws, n, with a t interval of n less one degrees of freedom; means of the models are taken within a draw, and were added after the
first audits had been seen. Nothing is corrected for the number of comparisons: exploratory."""

AUGCMP_HEAD = """## augcmp: language models against classical augmentation

Published: accuracy of fine-tuned BERT on AG News, at {seeds} real documents per class and {texts} texts per document, three repeats
of ten fine-tunings. Ours: up to three disjoint draws of {seeds} of the published seeds per class, with {texts} texts of each, drawn by lot. We do not
know which seeds a repeat used, so draws and repeats are not the same documents. In lines of
the question *sign*, theirs is the gain over no added texts, which has no control for volume, and ours the effect against the row twin: a sign that agrees says
no more than that both see a gain. All other lines are differences between two files."""

DESIGN_HEAD = """## kinit through a design

Zero-shot files, the three draws of each model and strategy together, screened and dealt out to five replicates of 80 real documents
and 160 synthetic ones, tfidf_linear. Only claims declared before the run carry a verdict; all else is exploratory.
Here the real documents are others than the authors' seeds: a paraphrase is of a document that the replicate does not hold, and brings
news of it. That is an advantage that paraphrases do not have in *this file* of the audits, nor had in what was published."""

CANNOT = """## What cannot be compared

* **Classifiers.** Theirs are encoders, fine-tuned; ours a linear model of words, and a linear model of frozen vectors. What helps the one need not help the other.
* **Scores.** Differences in F1 or accuracy there, in micro-F1 here; we screen copies and near copies away first, which takes {most_rejected} of the rows of one file; what they left out is not in the files.
* **Controls.** No score published of these files is of a control of equal size made of copies. Their gains hold volume and content together, ours content alone.
* **Tests.** Ours are fixed random samples of at most {most:,} official test documents (seed {seed}); which test documents stand behind the published scores is not in the files.
* **kinit.** No score of real documents alone; the second classifier has no name in the file and is left out; so are out-of-distribution scores, whose documents we lack, and the file of few-shot examples of the target class alone. Rows of synthetic files name no source, so that twins copy by label. In *this generator*, rows then go to replicates that lack their source: a
  paraphrase, or a text asked for with examples, brings news of real documents left out, which flatters it. *This file*, on which all comparisons rest, holds all seeds.
* **augcmp.** Combined and other classical methods have scores and no documents here; roberta's scores lack repeats; other seeds per class and texts per seed were not run.
* **parrot.** The data folder holds no published scores: what of it was audited stands alone. Of ten-dim, only the seeds are planned as real documents, to bound the time.
* **Encoders.** `frozen_encoder` was planned where fewer texts had to be embedded: not on few-shot files of kinit, nor on augcmp, nor on parrot beyond the seeds of hypo-l.
* **Draws.** Three draws give two degrees of freedom, and two give one: only large differences can leave zero out, there and here. "Neither" is no agreement. Draws are of seeds and
  texts; the sample of test documents is the same in all of them, and its own chance is not in these intervals."""

AUDITS_HEAD = """## Every audited file

*This file* is conditional on its training sets: its interval is over test families only. *This generator* redraws two thirds of the real documents, five times,
beside disjoint fifths of the file. Worth is in new real documents at the size of the second reading, and its ruler ends at the documents left out.
p-values are corrected over all files and readings of one audit."""
