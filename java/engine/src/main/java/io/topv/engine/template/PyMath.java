package io.topv.engine.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic; integers beyond 64 bits are an error. */
final class PyMath {
  private PyMath() {}

  static int compare(Object a, Object b) {
    if (a instanceof Double || b instanceof Double) {
      double x = real(a);
      double y = real(b);
      if (Double.isInfinite(x) || Double.isInfinite(y) || Double.isNaN(x) || Double.isNaN(y)) {
        // NaN equals nothing; callers that order values rule it out first.
        return x < y ? -1 : x == y ? 0 : 1;
      }
      return exact(a).compareTo(exact(b));
    }
    return Long.compare(whole(a), whole(b));
  }

  private static BigDecimal exact(Object v) {
    return v instanceof Double d ? new BigDecimal(d) : BigDecimal.valueOf(whole(v));
  }

  private static long whole(Object v) {
    return v instanceof Boolean b ? (b ? 1 : 0) : (Long) v;
  }

  private static double real(Object v) {
    return v instanceof Double d ? d : whole(v);
  }

  static Object unary(String operator, Object v) {
    if (v instanceof Undefined u) {
      throw u.error();
    }
    if (!Py.isNumber(v)) {
      throw new TemplateError("bad operand for unary " + operator + ": " + Py.type(v));
    }
    if (v instanceof Double d) {
      return operator.equals("-") ? -d : d;
    }
    try {
      return operator.equals("-") ? Math.negateExact(whole(v)) : whole(v);
    } catch (ArithmeticException e) {
      throw overflow();
    }
  }

  static Object binary(String operator, Object a, Object b, Budget budget) {
    if (a instanceof Undefined u) {
      throw u.error();
    } else if (b instanceof Undefined u) {
      throw u.error();
    } else if (Py.isNumber(a) && Py.isNumber(b)) {
      return number(operator, a, b);
    } else if (a instanceof Markup || b instanceof Markup) {
      throw new TemplateError("unsupported: " + operator + " on text marked as HTML");
    } else if (operator.equals("+")) {
      return add(a, b, budget);
    } else if (operator.equals("*")) {
      boolean left = a instanceof Long || a instanceof Boolean;
      return left ? repeat(b, whole(a), a, budget) : repeat(a, count(b, a), b, budget);
    } else if (operator.equals("%") && a instanceof String s) {
      return budget.text(PyFormat.percent(s, b));
    }
    throw mismatch(operator, a, b);
  }

  private static Object add(Object a, Object b, Budget budget) {
    if (a instanceof String x && b instanceof String y) {
      budget.length((long) x.length() + y.length());
      return x + y;
    } else if (a instanceof List<?> x && b instanceof List<?> y) {
      return join(x, y, budget);
    } else if (a instanceof Tuple x && b instanceof Tuple y) {
      return new Tuple(join(x.items(), y.items(), budget));
    }
    throw mismatch("+", a, b);
  }

  private static List<Object> join(List<?> x, List<?> y, Budget budget) {
    budget.charge(x.size() + y.size());
    List<Object> out = new ArrayList<>(x);
    out.addAll(y);
    return out;
  }

  private static long count(Object n, Object sequence) {
    if (n instanceof Long || n instanceof Boolean) {
      return whole(n);
    }
    throw mismatch("*", sequence, n);
  }

  private static Object repeat(Object v, long times, Object count, Budget budget) {
    long n = Math.max(0, Math.min(times, Integer.MAX_VALUE));
    if (v instanceof String s) {
      budget.length(s.length() * n);
      return s.repeat(s.isEmpty() ? 0 : (int) n);
    } else if (v instanceof List<?> l) {
      return repeated(l, n, budget);
    } else if (v instanceof Tuple t) {
      return new Tuple(repeated(t.items(), n, budget));
    }
    throw mismatch("*", v, count);
  }

  private static List<Object> repeated(List<?> items, long n, Budget budget) {
    budget.charge(items.size() * n);
    List<Object> out = new ArrayList<>();
    for (long i = 0; i < n && !items.isEmpty(); i++) {
      out.addAll(items);
    }
    return out;
  }

  private static Object number(String operator, Object a, Object b) {
    boolean real = a instanceof Double || b instanceof Double;
    try {
      return switch (operator) {
        case "+" -> real ? (Object) (real(a) + real(b)) : Math.addExact(whole(a), whole(b));
        case "-" -> real ? (Object) (real(a) - real(b)) : Math.subtractExact(whole(a), whole(b));
        case "*" -> real ? (Object) (real(a) * real(b)) : Math.multiplyExact(whole(a), whole(b));
        case "/" -> divide(a, b);
        case "//" -> real ? (Object) floorReal(real(a), nonZero(b)) : floor(a, b);
        case "%" -> real ? (Object) modReal(real(a), nonZero(b)) : mod(a, b);
        case "**" -> power(a, b, real);
        default -> throw mismatch(operator, a, b);
      };
    } catch (ArithmeticException e) {
      throw overflow();
    }
  }

  private static double divide(Object a, Object b) {
    if (a instanceof Double || b instanceof Double) {
      return real(a) / nonZero(b);
    }
    nonZero(b);
    long limit = 1L << 53;
    if (Math.abs(whole(a)) > limit || Math.abs(whole(b)) > limit) {
      throw overflow();
    }
    return real(a) / real(b);
  }

  private static double nonZero(Object v) {
    if (real(v) == 0) {
      throw new TemplateError("division by zero");
    }
    return real(v);
  }

  private static long floor(Object a, Object b) {
    nonZero(b);
    if (whole(b) == -1) {
      return Math.negateExact(whole(a));
    }
    return Math.floorDiv(whole(a), whole(b));
  }

  private static long mod(Object a, Object b) {
    nonZero(b);
    return Math.floorMod(whole(a), whole(b));
  }

  private static double modReal(double a, double b) {
    double m = a % b;
    if (m == 0) {
      return Math.copySign(0.0, b);
    }
    return (m < 0) != (b < 0) ? m + b : m;
  }

  private static double floorReal(double a, double b) {
    double m = a % b;
    double q = (a - m) / b;
    if (m != 0 && (m < 0) != (b < 0)) {
      q -= 1;
    }
    if (q == 0) {
      return Math.copySign(0.0, a / b);
    }
    double f = Math.floor(q);
    return q - f > 0.5 ? f + 1 : f;
  }

  private static Object power(Object a, Object b, boolean real) {
    if (real || whole(b) < 0) {
      if (real(a) == 0 && real(b) < 0) {
        throw new TemplateError("zero to a negative power");
      }
      double p = Math.pow(real(a), real(b));
      if (Double.isNaN(p) || Double.isInfinite(p)) {
        throw new TemplateError("unsupported: " + Py.repr(a) + " ** " + Py.repr(b));
      }
      return p;
    }
    long base = whole(a);
    long exponent = whole(b);
    if (base == 0 || base == 1 || base == -1) {
      return exponent == 0 ? 1L : base == -1 && exponent % 2 == 0 ? 1L : base;
    }
    long result = 1;
    for (long i = 0; i < exponent; i++) {
      result = Math.multiplyExact(result, base);
    }
    return result;
  }

  private static TemplateError overflow() {
    return new TemplateError("unsupported: an integer beyond 64 bits");
  }

  private static TemplateError mismatch(String operator, Object a, Object b) {
    return new TemplateError(
        "cannot apply " + operator + " to " + Py.type(a) + " and " + Py.type(b));
  }
}
