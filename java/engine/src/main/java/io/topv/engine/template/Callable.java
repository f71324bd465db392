package io.topv.engine.template;

/** A value that can be called: a function, a bound method or a macro. */
interface Callable {
  String name();

  Object call(Frame frame, Args args);

  interface Body {
    Object call(Frame frame, Args args);
  }

  static Callable of(String name, Body body) {
    record Function(String name, Body body) implements Callable {
      @Override
      public Object call(Frame frame, Args args) {
        return body.call(frame, args);
      }
    }
    return new Function(name, body);
  }
}
