package io.topv.engine.template;

import java.util.List;

/** What an assignment or a loop writes to. */
sealed interface Target {
  void assign(Frame f, Object value);

  record Variable(String name) implements Target {
    @Override
    public void assign(Frame f, Object value) {
      f.set(name, value);
    }
  }

  /** {@code ns.name}, where ns is a namespace. */
  record Member(String namespace, String name) implements Target {
    @Override
    public void assign(Frame f, Object value) {
      if (!(f.lookup(namespace) instanceof Namespace ns)) {
        throw new TemplateError("cannot set an attribute of '" + namespace + "': no namespace");
      }
      ns.attributes().put(name, value);
    }
  }

  record Unpack(List<Target> targets) implements Target {
    @Override
    public void assign(Frame f, Object value) {
      List<Object> items = Py.iterate(value);
      if (items.size() != targets.size()) {
        throw new TemplateError(
            "cannot unpack " + items.size() + " values into " + targets.size() + " names");
      }
      for (int i = 0; i < items.size(); i++) {
        targets.get(i).assign(f, items.get(i));
      }
    }
  }
}
