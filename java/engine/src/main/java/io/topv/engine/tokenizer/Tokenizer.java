package io.topv.engine.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.topv.engine.TopvException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.node.ObjectNode;

/**
 * A Hugging Face fast tokenizer (tokenizer.json), without truncation and without padding. Works
 * offline. Thread-safe, but close it only when nobody uses it any more.
 *
 * <p><b>Special tokens.</b> {@code encode(text, true)} lets the tokenizer add what it adds around
 * every text, a leading BOS in LLaMA's case. A chat template usually prints BOS itself, so a
 * rendered prompt must not get a second one: use {@link #encodePrompt}, which leaves the decision
 * to the text, as transformers' processors do.
 */
public final class Tokenizer implements AutoCloseable {
  private static final int MAX_TEXT = 64 << 20;

  private final HuggingFaceTokenizer backend;
  private final Vocabulary vocabulary;
  private final SpecialTokens specialTokens;

  private Tokenizer(
      HuggingFaceTokenizer backend, Vocabulary vocabulary, SpecialTokens specialTokens) {
    this.backend = backend;
    this.vocabulary = vocabulary;
    this.specialTokens = specialTokens;
  }

  /**
   * Loads tokenizer.json of a model folder, and tokenizer_config.json and special_tokens_map.json
   * where they exist.
   *
   * @throws TopvException where tokenizer.json is missing, or a file is broken
   */
  public static Tokenizer load(Path modelDir) {
    Path file = modelDir.resolve("tokenizer.json");
    String text = TokenizerFiles.text(file);
    ObjectNode json = TokenizerFiles.parse(text, file);
    Map<String, String> special = new LinkedHashMap<>();
    Path configFile = modelDir.resolve("tokenizer_config.json");
    Optional<ObjectNode> config = TokenizerFiles.object(configFile);
    if (config.isPresent()) {
      SpecialTokens.read(config.get(), configFile, special);
      if (TokenizerFiles.mergeAddedTokens(json, config.get())) {
        text = TokenizerFiles.JSON.writeValueAsString(json);
      }
    }
    Path mapFile = modelDir.resolve("special_tokens_map.json");
    TokenizerFiles.object(mapFile).ifPresent(map -> SpecialTokens.read(map, mapFile, special));
    Vocabulary vocabulary = Vocabulary.of(json, file);
    HuggingFaceTokenizer backend = NativeTokenizers.open(text, file);
    return new Tokenizer(backend, vocabulary, SpecialTokens.of(special));
  }

  /**
   * The token ids of a text.
   *
   * @param addSpecialTokens whether the tokenizer adds its own around the text, such as BOS
   */
  public int[] encode(String text, boolean addSpecialTokens) {
    if (text.length() > MAX_TEXT) {
      throw new TopvException(
          "text of " + text.length() + " characters; at most " + MAX_TEXT + " can be tokenized");
    }
    long[] ids = backend.encode(withoutLoneSurrogates(text), addSpecialTokens, false).getIds();
    int[] out = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      out[i] = (int) ids[i];
    }
    return out;
  }

  /**
   * The token ids of a rendered prompt: with the tokenizer's special tokens, except where the text
   * already begins with BOS (the rule of transformers' processors).
   */
  public int[] encodePrompt(String text) {
    boolean hasBos =
        specialTokens.bos().filter(bos -> !bos.isEmpty()).filter(text::startsWith).isPresent();
    return encode(text, !hasBos);
  }

  /** The text of tokens; ids without a token give nothing. */
  public String decode(int[] ids, boolean skipSpecial) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0) {
        throw new TopvException("token id " + ids[i] + " at position " + i + " is negative");
      }
      wide[i] = ids[i];
    }
    return ids.length == 0 ? "" : backend.decode(wide, skipSpecial);
  }

  /** A decoder for one stream of generated tokens. */
  public IncrementalDecoder incrementalDecoder(boolean skipSpecial) {
    return new IncrementalDecoder(this, skipSpecial);
  }

  /** One more than the largest token id, added tokens included. */
  public int vocabSize() {
    return vocabulary.size();
  }

  public OptionalInt idOf(String token) {
    return vocabulary.id(token);
  }

  /**
   * The token with this id as the vocabulary spells it (not as text: see {@link #decode}).
   *
   * @throws TopvException where no token has this id
   */
  public String tokenOf(int id) {
    return vocabulary
        .token(id)
        .orElseThrow(() -> new TopvException("no token has the id " + id + " of " + vocabSize()));
  }

  /** Whether decoding can leave the token out as special. */
  public boolean isSpecial(int id) {
    return id >= 0 && vocabulary.isSpecial(id);
  }

  boolean isByte(int id) {
    return vocabulary.isByte(id);
  }

  boolean hasToken(int id) {
    return vocabulary.token(id).isPresent();
  }

  public SpecialTokens specialTokens() {
    return specialTokens;
  }

  @Override
  public void close() {
    backend.close();
  }

  /** UTF-8 has no form for half a surrogate pair; U+FFFD takes its place. */
  private static String withoutLoneSurrogates(String text) {
    StringBuilder fixed = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (pair) {
        i++;
      } else if (Character.isSurrogate(c)) {
        fixed = fixed == null ? new StringBuilder(text) : fixed;
        fixed.setCharAt(i, '\uFFFD');
      }
    }
    return fixed == null ? text : fixed.toString();
  }
}
