package io.topv.engine.tokenizer;

import io.topv.engine.TopvException;
import java.util.List;
import java.util.Optional;

/**
 * Ends a streamed text where a stop string begins. Text that may be the start of a stop string is
 * held back until it is clear, so nothing of a stop string is ever shown. One stream, one thread.
 */
public final class StopStrings {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private Optional<String> hit = Optional.empty();

  /**
   * @param stops none of them empty; an empty list stops nothing
   */
  public StopStrings(List<String> stops) {
    for (String stop : stops) {
      if (stop.isEmpty()) {
        throw new TopvException("a stop string is empty");
      }
    }
    this.stops = List.copyOf(stops);
  }

  /** Takes the next piece of text; returns what can be shown now. After a hit that is nothing. */
  public String push(String text) {
    if (hit.isPresent()) {
      return "";
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      held.append(text.charAt(i));
      Optional<String> stop = longestEnding();
      if (stop.isPresent()) {
        hit = stop;
        out.append(held, 0, held.length() - stop.get().length());
        held.setLength(0);
        return out.toString();
      }
      int keep = possibleStart();
      out.append(held, 0, held.length() - keep);
      held.delete(0, held.length() - keep);
    }
    return out.toString();
  }

  /** The stop string that ended the text. */
  public Optional<String> hit() {
    return hit;
  }

  /** The text ends here without a stop string: returns what was held back. */
  public String flush() {
    String rest = held.toString();
    held.setLength(0);
    return rest;
  }

  private Optional<String> longestEnding() {
    Optional<String> best = Optional.empty();
    for (String stop : stops) {
      boolean ends =
          held.length() >= stop.length() && held.indexOf(stop, held.length() - stop.length()) >= 0;
      if (ends && (best.isEmpty() || stop.length() > best.get().length())) {
        best = Optional.of(stop);
      }
    }
    return best;
  }

  /** Length of the longest end of the held text that a stop string begins with. */
  private int possibleStart() {
    for (int n = held.length(); n > 0; n--) {
      String end = held.substring(held.length() - n);
      for (String stop : stops) {
        if (stop.startsWith(end)) {
          return n;
        }
      }
    }
    return 0;
  }
}
