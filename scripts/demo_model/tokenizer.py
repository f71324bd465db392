"""The byte-level BPE of the demo model: trained on the question language, able to hold any text."""

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from scenes import ask, sample_scene

SPECIALS = ("<unk>", "<s>", "</s>", "<pad>", "<image>")
UNK, BOS, EOS, PAD, IMAGE = range(5)
VOCABULARY = 576


def train_tokenizer(scenes=6000, seed=1):
    rng = np.random.default_rng([seed, 77])
    texts = []
    for _ in range(scenes):
        texts += [f"USER: \n{q} ASSISTANT: {a}" for _, q, a, _ in ask(rng, sample_scene(rng))]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[AddedToken(s, special=True, normalized=False) for s in SPECIALS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", BOS)])
    return tokenizer
