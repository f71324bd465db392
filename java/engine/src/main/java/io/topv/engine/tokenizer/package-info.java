/** Text to token ids and back: tokenizers, streamed decoding, stop strings, image placeholders. */
package io.topv.engine.tokenizer;
