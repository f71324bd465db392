package io.topv.engine.template;

/** Python's None. */
enum None {
  NONE
}
