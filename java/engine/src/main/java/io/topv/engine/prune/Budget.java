package io.topv.engine.prune;

import io.topv.engine.TopvException;

/** How many visual tokens of an image stay. The count is known before anything is computed. */
public sealed interface Budget {

  /**
   * Tokens that stay of {@code n}, recovered ones included. 0 means that there are too few to
   * prune.
   */
  int kept(int n);

  /** As the user wrote it. */
  String describe();

  /** A fraction is removed. */
  record Rate(double removed) implements Budget {
    public Rate {
      if (!(removed >= 0 && removed < 1)) {
        throw new TopvException("prune-rate = " + removed + " is not in [0, 1)");
      }
    }

    @Override
    public int kept(int n) {
      return (int) Math.round((1 - removed) * n);
    }

    @Override
    public String describe() {
      return "rate " + removed;
    }
  }

  /** Exactly this many stay. */
  record Keep(int count) implements Budget {
    public Keep {
      if (count < 1) {
        throw new TopvException("prune-keep = " + count + " is not at least 1");
      }
    }

    @Override
    public int kept(int n) {
      if (count > n) {
        throw new TopvException(
            "prune-keep = " + count + " is more than the image's " + n + " visual tokens");
      }
      return count;
    }

    @Override
    public String describe() {
      return "keep " + count;
    }
  }
}
