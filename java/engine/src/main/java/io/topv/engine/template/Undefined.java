package io.topv.engine.template;

/** Jinja's Undefined: prints as nothing and is false, but has no attributes. */
record Undefined(String what) {
  TemplateError error() {
    return new TemplateError(what + " is undefined");
  }
}
