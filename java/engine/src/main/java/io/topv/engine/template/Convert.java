package io.topv.engine.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Turns plain Java values into the engine's values. */
final class Convert {
  private Convert() {}

  static Object value(Object v) {
    if (v == null) {
      return None.NONE;
    } else if (v instanceof String || v instanceof Boolean) {
      return v;
    } else if (v instanceof Long
        || v instanceof Integer
        || v instanceof Short
        || v instanceof Byte) {
      return ((Number) v).longValue();
    } else if (v instanceof Double || v instanceof Float) {
      return ((Number) v).doubleValue();
    } else if (v instanceof List<?> list) {
      List<Object> out = new ArrayList<>(list.size());
      list.forEach(x -> out.add(value(x)));
      return out;
    } else if (v instanceof Map<?, ?> map) {
      Map<Object, Object> out = new LinkedHashMap<>();
      map.forEach((key, x) -> out.put(Py.text(key, "a dictionary key"), value(x)));
      return out;
    }
    throw new TemplateError("cannot pass a " + v.getClass().getName() + " to a template");
  }
}
