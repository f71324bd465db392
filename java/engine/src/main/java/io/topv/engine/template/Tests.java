package io.topv.engine.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** All tests ({@code x is name}). */
final class Tests {
  interface Body {
    boolean test(Object value, Object argument);
  }

  private static final Map<String, Predicate<Object>> UNARY = new HashMap<>();
  private static final Map<String, Body> BINARY = new HashMap<>();

  static {
    UNARY.put("defined", v -> !(v instanceof Undefined));
    UNARY.put("undefined", v -> v instanceof Undefined);
    UNARY.put("none", v -> v == None.NONE);
    UNARY.put("string", v -> v instanceof String || v instanceof Markup);
    UNARY.put("mapping", v -> v instanceof Map);
    UNARY.put("sequence", Tests::isSequence);
    UNARY.put("iterable", Py::isIterable);
    UNARY.put("number", Py::isNumber);
    UNARY.put("integer", v -> v instanceof Long);
    UNARY.put("float", v -> v instanceof Double);
    UNARY.put("boolean", v -> v instanceof Boolean);
    UNARY.put("true", v -> Boolean.TRUE.equals(v));
    UNARY.put("false", v -> Boolean.FALSE.equals(v));
    UNARY.put("odd", v -> remainderIs(v, 2L, 1));
    UNARY.put("even", v -> remainderIs(v, 2L, 0));
    // Undefined has a __call__, which raises.
    UNARY.put("callable", v -> v instanceof Callable || v instanceof Undefined);
    UNARY.put("upper", v -> cased(v, "isupper"));
    UNARY.put("lower", v -> cased(v, "islower"));
    UNARY.put("escaped", v -> v instanceof Markup);
    BINARY.put("sameas", Tests::same);
    BINARY.put("divisibleby", (a, b) -> remainderIs(a, b, 0));
    BINARY.put("in", (a, b) -> Py.compare("in", a, b));
    for (String alias : List.of("equalto", "eq", "==")) {
      BINARY.put(alias, (a, b) -> Py.compare("==", a, b));
    }
    for (String alias : List.of("ne", "!=")) {
      BINARY.put(alias, (a, b) -> Py.compare("!=", a, b));
    }
    for (String alias : List.of("lessthan", "lt", "<")) {
      BINARY.put(alias, (a, b) -> Py.compare("<", a, b));
    }
    for (String alias : List.of("le", "<=")) {
      BINARY.put(alias, (a, b) -> Py.compare("<=", a, b));
    }
    for (String alias : List.of("greaterthan", "gt", ">")) {
      BINARY.put(alias, (a, b) -> Py.compare(">", a, b));
    }
    for (String alias : List.of("ge", ">=")) {
      BINARY.put(alias, (a, b) -> Py.compare(">=", a, b));
    }
  }

  private Tests() {}

  static boolean apply(String name, Object value, Args args) {
    Predicate<Object> unary = UNARY.get(name);
    if (unary != null) {
      args.expect("test '" + name + "'");
      return unary.test(value);
    }
    Body binary = BINARY.get(name);
    if (binary == null) {
      throw new TemplateError("unsupported test '" + name + "'");
    }
    String callee = "test '" + name + "'";
    return binary.test(value, args.expect(callee, "other").required(callee, 0, "other"));
  }

  /** Jinja asks for len() and item access, which strings, mappings and Undefined have as well. */
  private static boolean isSequence(Object v) {
    if (v instanceof View view) {
      return view.isRange();
    }
    return Py.isIterable(v) && !(v instanceof Once);
  }

  private static boolean same(Object a, Object b) {
    boolean constants = a instanceof Boolean || a instanceof None;
    if (a != b && !constants && (Py.isNumber(a) || a instanceof String) && a.equals(b)) {
      throw new TemplateError("unsupported: 'sameas' on numbers and strings");
    }
    return constants ? a.equals(b) : a == b;
  }

  private static boolean remainderIs(Object v, Object by, long expected) {
    Object remainder = PyMath.binary("%", v, by, new Budget(Limits.DEFAULT));
    return Py.equal(remainder, expected);
  }

  private static boolean cased(Object v, String method) {
    Object result = StringMethods.table().get(method).call(Py.str(v), Args.NONE, null);
    return Py.truth(result);
  }
}
