package io.topv.engine.template;

/** Text that the {@code escape} or {@code safe} filter has marked as HTML. */
record Markup(String text) {}
