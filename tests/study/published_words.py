"""What the page on published corpora says whatever the numbers are: questions, measures, and what differs."""

HEAD = """# Published corpora, studied again

Written by `python -m tests.study.published`: {audits} audits of synthetic files that others published ({files} files, counted
once for every audit), and one study through a design. What the authors published of them stands beside ours. No language model was run, and no document
of theirs is shown.

Ours is the *effect*: micro-F1, which with one label per document is accuracy, less that of the *row twin*, which has every real document
once and, for every accepted row of the file, one more copy of a real document. A published gain is over real documents alone.

## What agrees, and what does not"""

AGREEMENT_READ = """*Agree* and *disagree*: both 95 % intervals leave zero out; *only theirs*, *only ours*: one does. Comparisons share files and draws, so that their number is no number of
independent trials, and one interval in twenty leaves zero out where there is nothing. Single results:"""

STUDIED_HEAD = """## What was studied"""

VERDICTS_HEAD = """Verdicts of *this file* against its row twin. A verdict holds for a classifier, these real documents and these files:"""

KINIT_HEAD = """## kinit: three open models, two strategies, two ways of asking

Published: F1 of fine-tuned BERT on AG News (which F1 is not said), for each model, strategy, way of asking and draw of 20 real
documents per class; each score a mean of ten fine-tunings. The file has no score without synthetic documents, so the sign of a gain cannot be compared: only differences
between files can. Ours: the difference between the two files' effects against their twins, draw by draw, so that what copies of the same
number would do is taken off; theirs is a difference between scores, in which it is not. Both are
means of the draws, n, with a t interval of n less one degrees of freedom; means of the models are taken within a draw, and were added after the
first audits had been seen. Nothing is corrected for the number of comparisons: exploratory."""

AUGCMP_HEAD = """## augcmp: language models against classical augmentation

Published: accuracy of fine-tuned BERT on AG News, at {seeds} real documents per class and {texts} texts per document, three repeats
of ten fine-tunings. Ours: three disjoint draws of {seeds} of the published seeds per class, with {texts} texts of each, drawn by lot. We do not
know which seeds a repeat used, so draws and repeats are not the same documents. In lines of
the question *sign*, theirs is the gain over no added texts, which has no control for volume, and ours the effect against the row twin: a sign that agrees says
no more than that both see a gain. All other lines are differences between two files."""

PARROT_CLAIM = (
    "published is that training on documents that people labelled is better than, or as good as, training on documents "
    "that a model wrote, while rare classes of tasks with many classes can gain from the latter"
)

PARROT_HEAD = """## parrot

Published (Møller et al., 2024; the abstract, and what their code does): an encoder of 110 million parameters is fine-tuned on the seeds with
either documents that crowd workers labelled or as many that GPT-4 or Llama-2-70B wrote from the seeds, class by class in equal numbers. Their scores, macro-F1,
are in no file of the data folder; the order that their abstract states is all that ours can be held against.

Ours: the workers' other training documents are audited as one more file beside those of the models, with the same seeds. Scores then compare as theirs do; effects
take off what copies would do. There is one set of seeds, so that nothing here says how another would turn out; intervals
are over test families, and two that are apart differ by more than a test of their difference asks. Workers' documents have the classes' natural
shares, which the test has too, and the models' have equal ones; screening leaves fewer of the models' (Accepted). Both are part of every difference. Nothing is said of rare classes: micro-F1 hardly sees them."""

FAMILIES_HEAD = """## Where the effect under tfidf_linear comes from

A linear model of words knows none beyond its training texts, and 80 real documents hold few. So the same zero-shot files of kinit, six in each of three draws, were
audited once more without the words that no real document holds, which were deleted before screening: treatment and twin then have the same
vocabulary. And once more with `min_df` 2, which leaves out words of a single unique text: a copy is no unique text, so that the twin learns few words, whatever it copies,
while a text that repeats a word of a real document sets it free. That was the family's default when these files were first audited. Both were asked after those audits had been seen:"""

FAMILIES_READ = """The mean of six files hides that single ones differ: see the verdicts above. The deletion leaves torn texts, of which the screening takes other rows, so that the third line is of
somewhat other documents. Verdicts of the two classifiers thus answer two questions: what a file brings to a model that knows no word beyond its own few documents, and what it brings to one whose vectors
were learned elsewhere. Why the latter has so little to gain is an open finding: its twins start much higher, but whether that is the reason was not taken apart. The
published scores are of fine-tuned encoders, and have no twin."""

DESIGN_HEAD = """## kinit through a design

Zero-shot files, the three draws of each model and strategy together, screened and dealt out to five replicates of 80 real documents
and 160 synthetic ones, tfidf_linear. Only claims declared before the run carry a verdict; all else is exploratory.
Here the real documents are others than the authors' seeds: a paraphrase is of a document that the replicate does not hold, and brings
news of it. That is an advantage that paraphrases do not have in *this file* of the audits, nor had in what was published."""

CANNOT = """## What cannot be compared

* **Classifiers.** Theirs are encoders, fine-tuned; ours a linear model of words, and a linear model of frozen vectors. What helps the one need not help the other.
* **Scores.** Differences in F1 or accuracy there, in micro-F1 here; we screen copies and near copies away first, which takes {most_rejected} of the rows of one file; what they left out is not in the files.
* **Controls.** No score published of kinit or augcmp is of a control of equal size made of copies. Their gains hold volume and content together, ours content alone.
* **Tests.** Ours are fixed random samples of at most {most:,} official test documents (seed {seed}); which test documents stand behind the published scores is not in the files.
* **kinit.** No score of real documents alone; the second classifier has no name in the file and is left out; so are out-of-distribution scores, whose documents we lack, and the file of few-shot examples of the target class alone. Rows of synthetic files name no source, so that twins copy by label. In *this generator*, rows then go to replicates that lack their source: a
  paraphrase, or a text asked for with examples, brings news of real documents left out, which flatters it. *This file*, on which all comparisons rest, holds all seeds.
* **augcmp.** Combined and other classical methods have scores and no documents here; roberta's scores lack repeats; other seeds per class and texts per seed were not run.
* **parrot.** Of ten-dim, only the seeds are real documents, to bound the time. Rows of the workers' file name no source: its twins copy by label, those of the models copy the source.
* **Encoders.** `frozen_encoder` was planned where fewer texts had to be embedded: not on few-shot files of kinit, nor on augcmp, nor on parrot beyond the seeds. `min_df` 2 was asked of zero-shot files of kinit alone.
* **Draws.** Three draws give two degrees of freedom: only large differences can leave zero out, there and here. "Neither" is no agreement. Draws are of seeds and
  texts; the sample of test documents is the same in all of them, and its own chance is not in these intervals."""

AUDITS_HEAD = """## Every audited file

*This file* is conditional on its training sets: its interval is over test families only. *This generator* redraws two thirds of the real documents, five times,
beside disjoint fifths of the file. Score is the file's, with all real documents. Worth is in new real documents at the size of the second reading, and its ruler ends at the documents left out.
p-values are corrected over all files and readings of one audit."""
