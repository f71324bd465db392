package io.topv.engine.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that transformers and Jinja put into every template. */
final class Functions {
  /** As in Jinja's sandbox. */
  private static final long MAX_RANGE = 100_000;

  static final Map<String, Object> GLOBALS =
      Map.of(
          "range", Callable.of("range", (f, args) -> range(args, f)),
          "namespace", Callable.of("namespace", (f, args) -> namespace(args)),
          "dict", Callable.of("dict", (f, args) -> dict(args)),
          "joiner", Callable.of("joiner", (f, args) -> joiner(args)),
          "raise_exception", Callable.of("raise_exception", (f, args) -> raise(args)),
          "strftime_now", Callable.of("strftime_now", (f, args) -> now(args, f)),
          "cycler", unsupported("cycler"),
          "lipsum", unsupported("lipsum"));

  private Functions() {}

  private static Callable unsupported(String name) {
    return Callable.of(
        name,
        (f, args) -> {
          throw new TemplateError("unsupported function '" + name + "'");
        });
  }

  private static Object range(Args args, Frame f) {
    List<Object> p = args.positional();
    if (p.isEmpty() || p.size() > 3 || !args.named().isEmpty()) {
      throw new TemplateError("range takes one to three integers");
    }
    long start = p.size() == 1 ? 0 : Py.integer(p.get(0), "range's start");
    long stop = Py.integer(p.get(p.size() == 1 ? 0 : 1), "range's stop");
    long step = p.size() == 3 ? Py.integer(p.get(2), "range's step") : 1;
    if (step == 0) {
      throw new TemplateError("range's step cannot be zero");
    }
    List<Object> out = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      out.add(i);
      if (out.size() > MAX_RANGE) {
        throw new TemplateError("a range longer than " + MAX_RANGE);
      }
      if (step > 0 ? i > Long.MAX_VALUE - step : i < Long.MIN_VALUE - step) {
        break;
      }
    }
    f.budget().charge(out.size());
    return new View("range", out);
  }

  private static Object namespace(Args args) {
    Namespace ns = new Namespace();
    for (Object initial : args.positional()) {
      if (!(initial instanceof Map<?, ?> m)) {
        throw new TemplateError("namespace takes a dict or named values");
      }
      m.forEach((k, v) -> ns.attributes().put(Py.text(k, "a namespace's name"), v));
    }
    ns.attributes().putAll(args.named());
    return ns;
  }

  private static Object dict(Args args) {
    Map<Object, Object> out = new LinkedHashMap<>();
    for (Object initial : args.positional()) {
      if (!(initial instanceof Map<?, ?> m)) {
        throw new TemplateError("unsupported: dict() of " + Py.type(initial));
      }
      out.putAll(m);
    }
    out.putAll(args.named());
    return out;
  }

  /** Gives nothing when called first, the separator after that. */
  private static Object joiner(Args args) {
    Object separator = args.expect("joiner", "sep").get(0, "sep", ", ");
    boolean[] used = {false};
    return Callable.of(
        "joiner",
        (f, none) -> {
          Object out = used[0] ? separator : "";
          used[0] = true;
          return out;
        });
  }

  private static Object raise(Args args) {
    throw new TemplateError(
        "the template refuses: "
            + Py.str(args.expect("raise_exception", "message").get(0, "message", "")));
  }

  private static Object now(Args args, Frame f) {
    Object format = args.expect("strftime_now", "format").required("strftime_now", 0, "format");
    return TimeFormat.format(Py.text(format, "the time format"), f.clock());
  }
}
