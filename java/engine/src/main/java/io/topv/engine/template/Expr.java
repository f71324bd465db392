package io.topv.engine.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An expression; {@link #eval} gives its value. */
sealed interface Expr {
  Object eval(Frame f);

  record Const(Object value) implements Expr {
    @Override
    public Object eval(Frame f) {
      return value;
    }
  }

  record Name(String name) implements Expr {
    @Override
    public Object eval(Frame f) {
      f.budget().step();
      return f.lookup(name);
    }
  }

  record ListOf(List<Expr> items) implements Expr {
    @Override
    public Object eval(Frame f) {
      return evalAll(items, f);
    }
  }

  record TupleOf(List<Expr> items) implements Expr {
    @Override
    public Object eval(Frame f) {
      return new Tuple(evalAll(items, f));
    }
  }

  record Pair(Expr key, Expr value) {}

  record DictOf(List<Pair> pairs) implements Expr {
    @Override
    public Object eval(Frame f) {
      Map<Object, Object> out = new LinkedHashMap<>();
      for (Pair p : pairs) {
        out.put(Py.key(p.key().eval(f)), p.value().eval(f));
      }
      f.budget().charge(1 + pairs.size());
      return out;
    }
  }

  /** {@code target.name}: the attribute first, then the item. */
  record Attribute(Expr target, String name) implements Expr {
    @Override
    public Object eval(Frame f) {
      f.budget().step();
      return Access.attribute(target.eval(f), name);
    }
  }

  /** {@code target[index]}: the item first, then the attribute. */
  record Item(Expr target, Expr index) implements Expr {
    @Override
    public Object eval(Frame f) {
      f.budget().step();
      return Access.item(target.eval(f), index.eval(f));
    }
  }

  record Slice(Expr target, Optional<Expr> start, Optional<Expr> stop, Optional<Expr> step)
      implements Expr {
    @Override
    public Object eval(Frame f) {
      Object value = target.eval(f);
      f.budget().charge(Py.sizeHint(value));
      return Access.slice(value, bound(start, f), bound(stop, f), bound(step, f));
    }

    private static Object bound(Optional<Expr> e, Frame f) {
      return e.isPresent() ? e.get().eval(f) : None.NONE;
    }
  }

  record Arguments(List<Expr> positional, Map<String, Expr> named) {
    Args eval(Frame f) {
      if (positional.isEmpty() && named.isEmpty()) {
        return Args.NONE;
      }
      Map<String, Object> values = new LinkedHashMap<>();
      List<Object> list = evalAll(positional, f);
      named.forEach((name, e) -> values.put(name, e.eval(f)));
      return new Args(list, values);
    }
  }

  record Call(Expr callee, Arguments arguments) implements Expr {
    @Override
    public Object eval(Frame f) {
      return call(f, Optional.empty());
    }

    /** Calls, with {@code caller} as what the callee knows as caller(). */
    Object call(Frame f, Optional<Callable> caller) {
      f.budget().step();
      Object target = callee.eval(f);
      Args args = arguments.eval(f);
      if (caller.isPresent()) {
        args = new Args(args.positional(), new LinkedHashMap<>(args.named()));
        args.named().put("caller", caller.get());
      }
      if (target instanceof Callable c) {
        return c.call(f, args);
      }
      if (target instanceof Undefined u) {
        throw u.error();
      }
      throw new TemplateError("a value of type " + Py.type(target) + " cannot be called");
    }
  }

  record Filter(Optional<Expr> input, String name, Arguments arguments) implements Expr {
    @Override
    public Object eval(Frame f) {
      return apply(input.orElseThrow().eval(f), f);
    }

    Object apply(Object value, Frame f) {
      f.budget().charge(1 + Py.sizeHint(value));
      return Filters.apply(name, f, value, arguments.eval(f));
    }
  }

  record Test(Expr input, String name, Arguments arguments) implements Expr {
    @Override
    public Object eval(Frame f) {
      f.budget().step();
      return Tests.apply(name, input.eval(f), arguments.eval(f));
    }
  }

  record Not(Expr operand) implements Expr {
    @Override
    public Object eval(Frame f) {
      return !Py.truth(operand.eval(f));
    }
  }

  record And(Expr left, Expr right) implements Expr {
    @Override
    public Object eval(Frame f) {
      Object l = left.eval(f);
      return Py.truth(l) ? right.eval(f) : l;
    }
  }

  record Or(Expr left, Expr right) implements Expr {
    @Override
    public Object eval(Frame f) {
      Object l = left.eval(f);
      return Py.truth(l) ? l : right.eval(f);
    }
  }

  record Condition(Expr test, Expr then, Optional<Expr> otherwise) implements Expr {
    @Override
    public Object eval(Frame f) {
      if (Py.truth(test.eval(f))) {
        return then.eval(f);
      }
      return otherwise.isPresent()
          ? otherwise.get().eval(f)
          : new Undefined("the value of an inline if without else");
    }
  }

  record Comparison(String operator, Expr right) {}

  /** {@code a < b <= c}: each pair in turn, until one fails. */
  record Compare(Expr first, List<Comparison> rest) implements Expr {
    @Override
    public Object eval(Frame f) {
      Object left = first.eval(f);
      for (Comparison c : rest) {
        Object right = c.right().eval(f);
        f.budget().charge(1 + Py.sizeHint(left) + Py.sizeHint(right));
        if (!Py.compare(c.operator(), left, right)) {
          return false;
        }
        left = right;
      }
      return true;
    }
  }

  record Binary(String operator, Expr left, Expr right) implements Expr {
    @Override
    public Object eval(Frame f) {
      f.budget().step();
      return PyMath.binary(operator, left.eval(f), right.eval(f), f.budget());
    }
  }

  record Unary(String operator, Expr operand) implements Expr {
    @Override
    public Object eval(Frame f) {
      return PyMath.unary(operator, operand.eval(f));
    }
  }

  /** {@code a ~ b ~ c}: the texts of all, joined. */
  record Concat(List<Expr> parts) implements Expr {
    @Override
    public Object eval(Frame f) {
      StringBuilder out = new StringBuilder();
      for (Expr part : parts) {
        String text = Py.str(part.eval(f));
        f.budget().grow(out.length(), text.length());
        out.append(text);
      }
      return out.toString();
    }
  }

  private static List<Object> evalAll(List<Expr> items, Frame f) {
    List<Object> out = new ArrayList<>(items.size());
    for (Expr e : items) {
      out.add(e.eval(f));
    }
    f.budget().charge(1 + items.size());
    return out;
  }
}
