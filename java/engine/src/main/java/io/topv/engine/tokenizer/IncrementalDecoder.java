package io.topv.engine.tokenizer;

import io.topv.engine.TopvException;
import java.util.Arrays;

/**
 * Turns a stream of token ids into text that can be shown at once: never half a character, and the
 * same text in the end as decoding all ids together. Each token costs the decoding of a few tokens,
 * however long the stream is. One stream, one thread.
 *
 * <p>A token's text depends on its neighbours (SentencePiece drops the first space of a text; bytes
 * of one character come in several tokens), so a window of ids is decoded: some whose text is out
 * already, for context, and those that are new.
 */
public final class IncrementalDecoder {
  private static final char REPLACEMENT = '\uFFFD';

  /** New tokens that may wait before the part that cannot change any more is let go. */
  private static final int MAX_WAITING = 16;

  /** The bytes of a UTF-8 character that can be missing, and so the tokens that may hold them. */
  private static final int MAX_INCOMPLETE = 3;

  private final Tokenizer tokenizer;
  private final boolean skipSpecial;
  private int[] window = new int[2 * MAX_WAITING];
  private int size;

  /** Ids at the front of the window whose text is out. */
  private int context;

  private String contextText = "";

  IncrementalDecoder(Tokenizer tokenizer, boolean skipSpecial) {
    this.tokenizer = tokenizer;
    this.skipSpecial = skipSpecial;
  }

  /** Takes the next token; returns the text that is complete with it, which may be empty. */
  public String push(int id) {
    if (id < 0) {
      throw new TopvException("token id " + id + " is negative");
    }
    if (!tokenizer.hasToken(id) || (skipSpecial && tokenizer.isSpecial(id))) {
      return "";
    }
    if (size == window.length) {
      window = Arrays.copyOf(window, 2 * size);
    }
    window[size++] = id;
    String text = decode(0, size);
    // Bytes in a row are one unit to the decoder: wait for its end, within reason.
    boolean open = endsOpen(text) || tokenizer.isByte(id);
    if (!open) {
      return emit(size, text);
    }
    return size - context > MAX_WAITING ? emitSettled(text) : "";
  }

  /** Ends the stream; returns what was held back. The decoder is then as new. */
  public String flush() {
    String rest = size == context ? "" : after(decode(0, size), size);
    size = 0;
    context = 0;
    contextText = "";
    return rest;
  }

  private static boolean endsOpen(String text) {
    return !text.isEmpty() && text.charAt(text.length() - 1) == REPLACEMENT;
  }

  private String decode(int from, int to) {
    return tokenizer.decode(Arrays.copyOfRange(window, from, to), skipSpecial);
  }

  /** The part of {@code text}, which the first {@code end} ids give, that is not out yet. */
  private String after(String text, int end) {
    // A byte that fits nowhere changes the text of all bytes before it, also of those that are out.
    return text.startsWith(contextText)
        ? text.substring(contextText.length())
        : decode(context, end);
  }

  /** Lets go the text of the first {@code end} ids, and keeps the newest of them as context. */
  private String emit(int end, String text) {
    String out = after(text, end);
    String newest = decode(context, end);
    // As context an empty text would do harm: a decoder that strips the first space would strip
    // one that follows. But context must not grow for ever.
    boolean shrink = context > 0 && (!newest.isEmpty() || context > MAX_WAITING);
    if (shrink) {
      System.arraycopy(window, context, window, 0, size - context);
      size -= context;
      context = end - context;
      contextText = newest;
    } else {
      context = end;
      contextText = text;
    }
    return out;
  }

  /**
   * Lets go what later tokens cannot change, although the end is open: all but the last, incomplete
   * character, or, where the bytes make no characters, up to the last place where the window splits
   * into two texts.
   */
  private String emitSettled(String text) {
    for (int end = size; end > context && end >= size - MAX_INCOMPLETE; end--) {
      String head = decode(0, end);
      if (!endsOpen(head)) {
        return emit(end, head);
      }
    }
    for (int end = size - MAX_INCOMPLETE; end > context; end--) {
      String head = decode(0, end);
      if (text.equals(head + decode(end, size))) {
        return emit(end, head);
      }
    }
    return "";
  }
}
