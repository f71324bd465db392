package io.topv.engine.template;

/**
 * What one rendering may cost, so that a hostile template ends in an error and not in a stuck or
 * exhausted server.
 *
 * @param output characters of output, and of any single string
 * @param steps evaluated nodes plus a share of the characters and items that they produce
 * @param macroDepth macros active at once
 */
record Limits(int output, long steps, int macroDepth) {
  static final Limits DEFAULT = new Limits(32 << 20, 10_000_000, 100);
}
