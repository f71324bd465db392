package io.topv.engine.template;

import io.topv.engine.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Parses the statements of a template. */
final class Parser {
  private static final Set<String> RESERVED =
      Set.of("true", "True", "false", "False", "none", "None");
  private static final int MAX_DEPTH = 100;

  private final TokenStream in;
  private final ExpressionParser expressions;
  private int depth;
  private int loops;

  private Parser(List<Token> tokens) {
    this.in = new TokenStream(tokens);
    this.expressions = new ExpressionParser(in);
  }

  static List<Stmt> parse(String source) {
    Parser parser = new Parser(Lexer.tokenize(source));
    List<Stmt> body = parser.statements();
    if (parser.in.current().kind() != Kind.EOF) {
      throw parser.in.error("unexpected tag " + parser.in.current().describe());
    }
    return body;
  }

  /** Statements up to the end, or up to a tag that no statement starts with. */
  private List<Stmt> statements(String... ends) {
    if (++depth > MAX_DEPTH) {
      throw in.error("blocks nested more than " + MAX_DEPTH + " deep");
    }
    List<Stmt> body = new ArrayList<>();
    while (in.current().kind() != Kind.EOF) {
      Token t = in.next();
      if (t.kind() == Kind.DATA) {
        body.add(new Stmt.Text(t.line(), t.text()));
      } else if (t.kind() == Kind.VARIABLE_BEGIN) {
        body.add(new Stmt.Print(t.line(), expressions.tuple(true, false)));
        in.expectKind(Kind.VARIABLE_END, "'}}'");
      } else {
        String tag = in.current().kind() == Kind.NAME ? in.current().text() : "";
        if (List.of(ends).contains(tag)) {
          depth--;
          return body;
        }
        body.add(statement());
        in.expectKind(Kind.BLOCK_END, "'%}'");
      }
    }
    if (ends.length > 0) {
      throw in.error("missing {% " + String.join(" %} or {% ", ends) + " %}");
    }
    depth--;
    return body;
  }

  /** The body of a block statement; the closing tag's name is consumed and returned in the end. */
  private List<Stmt> block(String... ends) {
    in.skipOperator(":");
    in.expectKind(Kind.BLOCK_END, "'%}'");
    return statements(ends);
  }

  private List<Stmt> blockTo(String end) {
    List<Stmt> body = block(end);
    in.next();
    return body;
  }

  private Stmt statement() {
    Token tag = in.expectKind(Kind.NAME, "a tag name");
    int line = tag.line();
    return switch (tag.text()) {
      case "if" -> branches(line);
      case "for" -> loop(line);
      case "set" -> set(line);
      case "with" -> with(line);
      case "macro" -> macro(line);
      case "call" -> call(line);
      case "filter" -> new Stmt.FilterBlock(line, filterChain(true), blockTo("endfilter"));
      case "generation" -> new Stmt.Generation(line, outsideLoops("endgeneration"));
      case "break" -> inLoop(new Stmt.Break(line), "break");
      case "continue" -> inLoop(new Stmt.Continue(line), "continue");
      default -> throw new TemplateError("unsupported or misplaced tag '" + tag.text() + "'", line);
    };
  }

  private Stmt inLoop(Stmt s, String name) {
    if (loops == 0) {
      throw new TemplateError("'" + name + "' outside of a loop", s.line());
    }
    return s;
  }

  /** A body that runs as a macro does, so that break and continue cannot leave it. */
  private List<Stmt> outsideLoops(String end) {
    int saved = loops;
    loops = 0;
    List<Stmt> body = blockTo(end);
    loops = saved;
    return body;
  }

  private Stmt branches(int line) {
    List<Stmt.Branch> branches = new ArrayList<>();
    List<Stmt> otherwise = List.of();
    String end = "elif";
    while (end.equals("elif")) {
      Expr test = withoutInlineIf();
      branches.add(new Stmt.Branch(test, block("elif", "else", "endif")));
      end = in.next().text();
    }
    if (end.equals("else")) {
      otherwise = blockTo("endif");
    }
    return new Stmt.If(line, branches, otherwise);
  }

  private Expr withoutInlineIf() {
    return expressions.tuple(false, false);
  }

  private Stmt loop(int line) {
    Target target = target(false);
    in.expectName("in");
    Expr items = withoutInlineIf();
    Optional<Expr> filter =
        in.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
    if (in.current().isName("recursive")) {
      throw in.error("unsupported: recursive loop");
    }
    loops++;
    List<Stmt> body = block("endfor", "else");
    loops--;
    List<Stmt> otherwise = in.next().text().equals("else") ? blockTo("endfor") : List.of();
    return new Stmt.For(line, target, items, filter, body, otherwise);
  }

  private Stmt set(int line) {
    Target target = target(true);
    if (in.skipOperator("=")) {
      return new Stmt.Set(line, target, expressions.tuple(true, false));
    }
    return new Stmt.SetBlock(line, target, filterChain(false), blockTo("endset"));
  }

  private Stmt with(int line) {
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (in.current().kind() != Kind.BLOCK_END) {
      if (!targets.isEmpty()) {
        in.expectOperator(",");
      }
      targets.add(new Target.Variable(variable()));
      in.expectOperator("=");
      values.add(expressions.expression());
    }
    return new Stmt.With(line, targets, values, blockTo("endwith"));
  }

  private Stmt macro(int line) {
    String name = variable();
    List<Macro.Parameter> parameters = parameters();
    return new Stmt.MacroDef(line, name, parameters, outsideLoops("endmacro"));
  }

  private Stmt call(int line) {
    List<Macro.Parameter> parameters = in.current().isOperator("(") ? parameters() : List.of();
    if (!(expressions.expression() instanceof Expr.Call call)) {
      throw new TemplateError("expected a call", line);
    }
    return new Stmt.CallBlock(line, parameters, call, outsideLoops("endcall"));
  }

  private List<Macro.Parameter> parameters() {
    in.expectOperator("(");
    List<Macro.Parameter> out = new ArrayList<>();
    boolean defaults = false;
    while (!in.current().isOperator(")")) {
      String name = variable();
      Optional<Expr> otherwise = Optional.empty();
      if (in.skipOperator("=")) {
        otherwise = Optional.of(expressions.expression());
        defaults = true;
      } else if (defaults) {
        throw in.error("parameter '" + name + "' without default after one with a default");
      }
      out.add(new Macro.Parameter(name, otherwise));
      if (!in.skipOperator(",")) {
        break;
      }
    }
    in.expectOperator(")");
    return out;
  }

  private List<Expr.Filter> filterChain(boolean startsWithName) {
    List<Expr.Filter> out = new ArrayList<>();
    if (startsWithName) {
      out.add(expressions.filter(Optional.empty()));
    }
    while (in.skipOperator("|")) {
      out.add(expressions.filter(Optional.empty()));
    }
    return out;
  }

  /** One name, or several with commas; a namespace's attribute where {@code members} allows it. */
  private Target target(boolean members) {
    Target first = singleTarget(members);
    if (!in.current().isOperator(",")) {
      return first;
    }
    List<Target> targets = new ArrayList<>(List.of(first));
    while (in.skipOperator(",")) {
      // A comma may come last: {% for x, in pairs %}.
      if (in.current().isOperator("=") || in.current().isName("in")) {
        break;
      }
      targets.add(singleTarget(members));
    }
    return new Target.Unpack(targets);
  }

  private Target singleTarget(boolean members) {
    if (in.skipOperator("(")) {
      Target inner = target(members);
      in.expectOperator(")");
      return inner;
    }
    String name = variable();
    if (members && in.skipOperator(".")) {
      return new Target.Member(name, in.expectKind(Kind.NAME, "an attribute name").text());
    }
    return new Target.Variable(name);
  }

  private String variable() {
    Token t = in.expectKind(Kind.NAME, "a name");
    if (RESERVED.contains(t.text())) {
      throw in.error("cannot assign to '" + t.text() + "'");
    }
    return t.text();
  }
}
