package io.topv.engine.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A macro with the scope it was defined in; a call gives the text that its body prints. */
record Macro(String name, List<Parameter> parameters, List<Stmt> body, Frame scope)
    implements Callable {
  record Parameter(String name, Optional<Expr> otherwise) {}

  @Override
  public Object call(Frame frame, Args args) {
    Frame f = scope.capture();
    frame.budget().enterMacro(name);
    try {
      bind(f, args);
      Stmt.run(body, f);
    } finally {
      frame.budget().leaveMacro();
    }
    return f.output();
  }

  private void bind(Frame f, Args args) {
    List<Object> positional = args.positional();
    Map<String, Object> rest = new LinkedHashMap<>(args.named());
    Set<String> filled = new HashSet<>();
    for (int i = 0; i < Math.min(parameters.size(), positional.size()); i++) {
      f.set(parameters.get(i).name(), positional.get(i));
      filled.add(parameters.get(i).name());
    }
    for (int i = positional.size(); i < parameters.size(); i++) {
      Parameter p = parameters.get(i);
      Object given = rest.remove(p.name());
      if (given == null && p.otherwise().isPresent()) {
        given = p.otherwise().get().eval(f);
      }
      f.set(p.name(), given == null ? new Undefined("parameter '" + p.name() + "'") : given);
    }
    Object caller = rest.remove("caller");
    if (caller != null) {
      f.set("caller", caller);
    }
    bindRest(f, positional, rest, filled);
  }

  private void bindRest(
      Frame f, List<Object> positional, Map<String, Object> rest, Set<String> filled) {
    for (String name : rest.keySet()) {
      if (filled.contains(name)) {
        throw new TemplateError("macro '" + name() + "' got argument '" + name + "' twice");
      }
    }
    boolean extraPositional = positional.size() > parameters.size();
    if (extraPositional && !Names.used(body, "varargs")) {
      throw new TemplateError(
          "macro '"
              + name
              + "' takes at most "
              + parameters.size()
              + " arguments, not "
              + positional.size());
    }
    if (!rest.isEmpty() && !Names.used(body, "kwargs")) {
      String first = rest.keySet().iterator().next();
      throw new TemplateError("macro '" + name + "' has no argument '" + first + "'");
    }
    int taken = Math.min(parameters.size(), positional.size());
    f.set("varargs", new Tuple(new ArrayList<>(positional.subList(taken, positional.size()))));
    f.set("kwargs", new LinkedHashMap<Object, Object>(rest));
  }
}
