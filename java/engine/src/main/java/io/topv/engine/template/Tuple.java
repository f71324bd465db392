package io.topv.engine.template;

import java.util.List;

/** A Python tuple. */
record Tuple(List<Object> items) {}
