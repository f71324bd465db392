package io.topv.engine.template;

import java.util.List;
import java.util.Optional;

/** A statement; {@link #exec} runs it and says how control goes on. */
sealed interface Stmt {
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  int line();

  Flow exec(Frame f);

  /** Runs statements in order, until one leaves the loop or its turn. */
  static Flow run(List<Stmt> body, Frame f) {
    for (Stmt s : body) {
      f.budget().step();
      try {
        Flow flow = s.exec(f);
        if (flow != Flow.NEXT) {
          return flow;
        }
      } catch (TemplateError e) {
        throw e.at(s.line());
      }
    }
    return Flow.NEXT;
  }

  record Text(int line, String text) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      f.write(text);
      return Flow.NEXT;
    }
  }

  record Print(int line, Expr value) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      f.write(Py.str(value.eval(f)));
      return Flow.NEXT;
    }
  }

  record Branch(Expr test, List<Stmt> body) {}

  record If(int line, List<Branch> branches, List<Stmt> otherwise) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      for (Branch b : branches) {
        if (Py.truth(b.test().eval(f))) {
          return run(b.body(), f);
        }
      }
      return run(otherwise, f);
    }
  }

  record For(
      int line,
      Target target,
      Expr items,
      Optional<Expr> filter,
      List<Stmt> body,
      List<Stmt> otherwise)
      implements Stmt {
    @Override
    public Flow exec(Frame f) {
      List<Object> values = Loop.select(this, f);
      if (values.isEmpty()) {
        return run(otherwise, f.inner());
      }
      Loop loop = new Loop(values);
      while (loop.advance()) {
        f.budget().charge(4);
        Frame inner = f.inner();
        inner.set("loop", loop);
        target.assign(inner, loop.current());
        if (run(body, inner) == Flow.BREAK) {
          break;
        }
      }
      return Flow.NEXT;
    }
  }

  record Break(int line) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      return Flow.BREAK;
    }
  }

  record Continue(int line) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      return Flow.CONTINUE;
    }
  }

  record Set(int line, Target target, Expr value) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      target.assign(f, value.eval(f));
      return Flow.NEXT;
    }
  }

  /** {@code set x | filters} ... {@code endset}: the body's output becomes the value. */
  record SetBlock(int line, Target target, List<Expr.Filter> filters, List<Stmt> body)
      implements Stmt {
    @Override
    public Flow exec(Frame f) {
      Frame inner = f.capture();
      Flow flow = run(body, inner);
      target.assign(f, filtered(inner.output(), filters, inner));
      return flow;
    }
  }

  record FilterBlock(int line, List<Expr.Filter> filters, List<Stmt> body) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      Frame inner = f.capture();
      Flow flow = run(body, inner);
      f.write(Py.str(filtered(inner.output(), filters, inner)));
      return flow;
    }
  }

  record With(int line, List<Target> targets, List<Expr> values, List<Stmt> body) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      Frame inner = f.inner();
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).assign(inner, values.get(i).eval(f));
      }
      return run(body, inner);
    }
  }

  /** The generation block of transformers: marks what the assistant says, and prints it. */
  record Generation(int line, List<Stmt> body) implements Stmt {
    @Override
    public Flow exec(Frame f) {
      return run(body, f.inner());
    }
  }

  record MacroDef(int line, String name, List<Macro.Parameter> parameters, List<Stmt> body)
      implements Stmt {
    @Override
    public Flow exec(Frame f) {
      f.set(name, new Macro(name, parameters, body, f));
      return Flow.NEXT;
    }
  }

  record CallBlock(int line, List<Macro.Parameter> parameters, Expr.Call call, List<Stmt> body)
      implements Stmt {
    @Override
    public Flow exec(Frame f) {
      Callable caller = new Macro("caller", parameters, body, f);
      f.write(Py.str(call.call(f, Optional.of(caller))));
      return Flow.NEXT;
    }
  }

  private static Object filtered(Object text, List<Expr.Filter> filters, Frame f) {
    Object value = text;
    for (Expr.Filter filter : filters) {
      value = filter.apply(value, f);
    }
    return value;
  }
}
