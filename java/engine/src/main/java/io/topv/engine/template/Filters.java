package io.topv.engine.template;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** All filters by name. */
final class Filters {
  interface Body {
    Object apply(Object value, Args args, Frame f);
  }

  private static final Set<String> ON_MARKUP =
      Set.of("e", "escape", "safe", "string", "upper", "lower", "trim", "length", "default", "d");
  private static final Map<String, Body> ALL = new HashMap<>();

  static {
    ALL.putAll(TextFilters.table());
    ALL.putAll(SequenceFilters.table());
    ALL.putAll(NumberFilters.table());
    ALL.put("tojson", Json::filter);
    ALL.put("default", Filters::otherwise);
    ALL.put("d", Filters::otherwise);
    ALL.put("attr", (v, args, f) -> attribute(v, args));
  }

  private Filters() {}

  static Object apply(String name, Frame f, Object value, Args args) {
    Body body = ALL.get(name);
    if (body == null) {
      throw new TemplateError("unsupported filter '" + name + "'");
    }
    return value instanceof Markup
        ? onMarkup(body, name, value, args, f)
        : body.apply(value, args, f);
  }

  /** The few filters that make sense on marked text; it stays marked. */
  private static Object onMarkup(Body body, String name, Object value, Args args, Frame f) {
    if (!ON_MARKUP.contains(name)) {
      throw new TemplateError("unsupported: filter '" + name + "' on text marked as HTML");
    }
    Object result = body.apply(value, args, f);
    return result instanceof String s ? new Markup(s) : result;
  }

  private static Object otherwise(Object v, Args args, Frame f) {
    args.expect("default", "default_value", "boolean");
    boolean replace =
        v instanceof Undefined || (Py.truth(args.get(1, "boolean", false)) && !Py.truth(v));
    return replace ? args.get(0, "default_value", "") : v;
  }

  private static Object attribute(Object v, Args args) {
    String name = Py.text(args.expect("attr", "name").required("attr", 0, "name"), "'name'");
    if (v instanceof Map) {
      throw new TemplateError("unsupported: filter 'attr' on a dict");
    }
    return Access.attribute(v, name);
  }
}
