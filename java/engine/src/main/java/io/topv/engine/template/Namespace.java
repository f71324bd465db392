package io.topv.engine.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** The object that {@code namespace()} makes: its attributes can be set from inner scopes. */
record Namespace(Map<String, Object> attributes) {
  Namespace() {
    this(new LinkedHashMap<>());
  }
}
