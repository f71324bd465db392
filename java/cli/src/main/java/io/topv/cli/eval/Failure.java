package io.topv.cli.eval;

/**
 * A condition that the arithmetic refused, so that it has no score.
 *
 * @param reason in one line
 */
public record Failure(Condition condition, String reason) {

  /** As {@link Score#name}. */
  public String name() {
    return condition.name();
  }

  public int budget() {
    return condition.budget();
  }

  @Override
  public String toString() {
    return "%s at %d failed: %s".formatted(name(), budget(), reason);
  }
}
