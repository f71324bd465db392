package io.topv.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTest {
  private static final ChatContext ANSWER =
      ChatContext.forAnswer(Map.of("bos_token", "<s>", "eos_token", "</s>"), "<image>");

  private static ChatTemplate resource(String name) {
    byte[] source = TemplateGoldenTest.bytes(name + ".jinja");
    return ChatTemplate.parse(new String(source, StandardCharsets.UTF_8), name);
  }

  private static String render(String source) {
    return ChatTemplate.parse(source, "t.jinja").render(Map.of("one", 1, "list", List.of(1, 2)));
  }

  @Test
  void rendersTheLlavaPrompt() {
    ChatTemplate llava = resource("llava_1_5");
    assertThat(llava.contentFormat()).isEqualTo(ContentFormat.PARTS);
    assertThat(llava.render(List.of(ChatMessage.user("What is this?", 1)), ANSWER))
        .isEqualTo("USER: <image>\nWhat is this? ASSISTANT:");
    List<ChatMessage> turns =
        List.of(
            ChatMessage.user("Two?", 2),
            ChatMessage.of("assistant", "Yes."),
            ChatMessage.user("Sure?", 0));
    assertThat(llava.render(turns, ANSWER))
        .isEqualTo("USER: <image>\n<image>\nTwo? ASSISTANT: Yes. USER: Sure? ASSISTANT:");
  }

  @ParameterizedTest
  @CsvSource({
    "llava_1_5,PARTS",
    "llava_next_mistral,PARTS",
    "llava_onevision,PARTS",
    "qwen2_vl,PARTS",
    "smolvlm,PARTS",
    "pixtral,PARTS",
    "chatml,STRING",
    "qwen2_5,STRING",
    "qwen3,STRING",
    "mistral_v3,STRING",
    "mistral_nemo,STRING",
    "deepseek_v3,STRING",
    "internlm2,STRING",
    "minimind2,STRING"
  })
  void findsOutHowATemplateWantsContent(String name, ContentFormat expected) {
    assertThat(resource(name).contentFormat()).isEqualTo(expected);
  }

  @Test
  void aStringTemplateGetsImageTokensBeforeTheText() {
    ChatTemplate chatml = resource("chatml");
    assertThat(chatml.render(List.of(ChatMessage.user("Compare.", 2)), ANSWER))
        .isEqualTo(
            "<|im_start|>user\n<image>\n<image>\nCompare.<|im_end|>\n<|im_start|>assistant\n");
    List<ContentPart> parts =
        List.of(ContentPart.text("a"), ContentPart.image(), ContentPart.text("b"));
    assertThat(chatml.render(List.of(new ChatMessage("user", parts)), ANSWER))
        .startsWith("<|im_start|>user\n<image>\na\nb<|im_end|>");
  }

  @Test
  void aTemplateMayWantPartsOfUsersOnly() {
    List<ChatMessage> turns =
        List.of(
            ChatMessage.of("system", "Be brief."),
            ChatMessage.user("A?", 1),
            ChatMessage.of("assistant", "Yes."),
            ChatMessage.user("B?", 0));
    assertThat(resource("pixtral").render(turns, ANSWER))
        .isEqualTo("<s>[INST][IMG]A?[/INST]Yes.</s>[INST]Be brief.\n\nB?[/INST]");
  }

  @Test
  void extraVariablesWinOverSpecialTokens() {
    ChatTemplate template =
        ChatTemplate.parse("{{ bos_token }}{{ x }}{{ tools }}{{ add_generation_prompt }}", "t");
    ChatContext context =
        new ChatContext(
            false,
            Map.of("bos_token", "<s>"),
            "<image>",
            List.of(Map.of("name", "f")),
            Map.of("x", 2, "bos_token", "B"));
    assertThat(template.render(List.of(), context)).isEqualTo("B2[{'name': 'f'}]False");
  }

  /** What is outside the subset, or wrong, is named with file and line. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      value = {
        "{% include 'x' %}             @ t.jinja:1: unsupported or misplaced tag 'include'",
        "{% extends 'x' %}             @ t.jinja:1: unsupported or misplaced tag 'extends'",
        "{% do x %}                    @ t.jinja:1: unsupported or misplaced tag 'do'",
        "{% endif %}                   @ t.jinja:1: unsupported or misplaced tag 'endif'",
        "{% for x in y recursive %}{% endfor %} @ t.jinja:1: unsupported: recursive loop",
        "{{ one | groupby('x') }}      @ t.jinja:1: unsupported filter 'groupby'",
        "{{ one is filter }}           @ t.jinja:1: unsupported test 'filter'",
        "{{ list.append(3) }}          @ t.jinja:1: unsupported: 'append' of a value of type list",
        "{{ one.real }}                @ t.jinja:1: unsupported: 'real' of a value of type int",
        "{{ 'a'.zfill(3) }}            @ t.jinja:1: unsupported: 'zfill' of a value of type str",
        "{{ one.__class__ }}           @ t.jinja:1: unsupported: access to '__class__'",
        "{{ one['__class__'].x }}      @ t.jinja:1: 'int' value's element '__class__' is undefined",
        "{{ cycler(1) }}               @ t.jinja:1: unsupported function 'cycler'",
        "{{ missing.x }}               @ t.jinja:1: 'missing' is undefined",
        "{{ missing() }}               @ t.jinja:1: 'missing' is undefined",
        "{{ one() }}                   @ t.jinja:1: a value of type int cannot be called",
        "{{ 1 + 'a' }}                 @ t.jinja:1: cannot apply + to int and str",
        "{{ 1 / 0 }}                   @ t.jinja:1: division by zero",
        "{{ 2 ** 64 }}                 @ t.jinja:1: unsupported: an integer beyond 64 bits",
        "{{ 1 < 'a' }}                 @ t.jinja:1: cannot order int and str",
        "{{ range(3) }}                @ t.jinja:1: unsupported: printing a value of type range",
        "{{ strftime_now('%Q') }}      @ t.jinja:1: unsupported time format '%Q'",
        "{{ raise_exception('No!') }}  @ t.jinja:1: the template refuses: No!",
        "{{ one }                      @ t.jinja:1: unexpected '}'",
        "{{ one                        @ t.jinja:1: missing end of '{{' that starts here",
        "{% if one                     @ t.jinja:1: missing end of '{%' that starts here",
        "{# open                       @ t.jinja:1: missing end of comment",
        "{% raw %} x                   @ t.jinja:1: missing {% endraw %}",
        "{% if one %}                  @ t.jinja:1: missing {% elif %} or {% else %} or {% endif %}",
        "{% for x in y %}              @ t.jinja:1: missing {% endfor %} or {% else %}",
        "{{ }}                         @ t.jinja:1: expected an expression, not '}}'",
        "{{ 'open }}                   @ t.jinja:1: string without closing '",
        "{{ f(a=1, a=2) }}             @ t.jinja:1: argument 'a' is given twice",
        "{{ f(*x) }}                   @ t.jinja:1: unsupported: * and ** in a call",
        "{% break %}                   @ t.jinja:1: 'break' outside of a loop",
        "{% set true = 1 %}            @ t.jinja:1: cannot assign to 'true'",
        "{% set one.x = 1 %}           @ t.jinja:1: cannot set an attribute of 'one': no namespace",
        "{% for a, b in [[1]] %}{% endfor %} @ t.jinja:1: cannot unpack 1 values into 2 names",
      },
      quoteCharacter = '`')
  void namesFileLineAndConstruct(String source, String message) {
    assertThatThrownBy(() -> render(source)).isInstanceOf(TopvException.class).hasMessage(message);
  }

  @Test
  void namesTheLineOfTheInnermostStatement() {
    assertThatThrownBy(() -> render("a\n{% for x in list %}\n\n{{ x.y.z }}\n{% endfor %}"))
        .hasMessage("t.jinja:4: 'int' value's element 'y' is undefined");
    assertThatThrownBy(() -> render("{#\n\n#}\n{{ 'a\nb' }}\n{% nope %}"))
        .hasMessage("t.jinja:6: unsupported or misplaced tag 'nope'");
  }

  @Test
  void theMessageStaysOneLine() {
    assertThatThrownBy(() -> render("{{ raise_exception('a\\nb') }}"))
        .hasMessage("t.jinja:1: the template refuses: a\\nb");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}"
            + "{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}"
            + "{% endfor %}",
        "{% set ns = namespace(s=[]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}"
            + "{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[], t=[]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}"
            + "{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
        "{% set ns = namespace(s=[]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}"
            + "{% endfor %}{{ ns.s | tojson }}",
        "{% set ns = namespace(s=[]) %}{% for i in range(90000) %}{% set ns.s = [ns.s] %}"
            + "{% endfor %}{{ ns.s }}",
        "{{ 'aaaa' * 999999999 }}",
        "{{ [1] * 999999999 }}",
        "{{ 'a' | indent(999999999, true) }}",
        "{{ range(999999999) }}",
        "{{ ('a' * 1000000).replace('a', 'b' * 1000) }}",
        "{{ ('a' * 100000).replace('', 'b' * 1000) }}",
      })
  void hostileTemplatesEndInAnError(String source) {
    Limits limits = new Limits(1 << 20, 500_000, 50);
    assertThatThrownBy(
            () ->
                ChatTemplate.parse(source, "t.jinja", TemplateGoldenTest.CLOCK, limits)
                    .render(Map.of()))
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith("t.jinja");
  }

  @Test
  void theUsualLimitsEndAnEndlessTemplate() {
    String forever =
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
    assertThatThrownBy(() -> render(forever))
        .isInstanceOf(TopvException.class)
        .hasMessage("t.jinja:1: the template does not end within 10000000 steps");
  }

  @Test
  void deepNestingEndsInAnError() {
    for (String[] part :
        List.of(
            new String[] {"{{ ", "(", "1", ")", " }}"},
            new String[] {"{{ ", "[", "1", "]", " }}"},
            new String[] {"{{ ", "-", "1", "", " }}"},
            new String[] {"{{ ", "{1: ", "1", "}", " }}"},
            new String[] {"{{ 1", "[1", "", "]", " }}"},
            new String[] {"{{ 1", " if 1 else 1", "", "", " }}"},
            new String[] {"{{ 1", " + 1", "", "", " }}"},
            new String[] {"{{ x", ".x", "", "", " }}"},
            new String[] {"{{ 1", " | string", "", "", " }}"},
            new String[] {"", "{% if 1 %}", "", "{% endif %}", ""},
            new String[] {"{% set ", "(", "x", ")", " = 1 %}"})) {
      int n = 20_000;
      String source = part[0] + part[1].repeat(n) + part[2] + part[3].repeat(n) + part[4];
      assertThatThrownBy(() -> render(source))
          .as(part[1])
          .isInstanceOf(TopvException.class)
          .hasMessageStartingWith("t.jinja");
    }
    assertThat(render("{{ not ".replace("not ", "not ".repeat(20_000)) + "1 }}")).isEqualTo("True");
  }

  @Test
  void refusesAHugeSource() {
    assertThatThrownBy(() -> render("a".repeat(1 << 21)))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("2097152 characters");
  }

  @Test
  void refusesValuesThatATemplateCannotHold() {
    ChatTemplate template = ChatTemplate.parse("{{ x }}", "t");
    Map<String, Object> variables = new HashMap<>();
    variables.put("x", new Object());
    assertThatThrownBy(() -> template.render(variables))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("java.lang.Object");
    List<Object> cycle = new ArrayList<>();
    cycle.add(cycle);
    variables.put("x", cycle);
    assertThatThrownBy(() -> template.render(variables)).isInstanceOf(TopvException.class);
    variables.put("x", null);
    assertThat(template.render(variables)).isEqualTo("None");
  }

  @Test
  void theClockIsTheCallers() {
    Clock clock = TemplateGoldenTest.CLOCK;
    assertThat(ChatTemplate.parse("{{ strftime_now('%d %b %Y') }}", "t", clock).render(Map.of()))
        .isEqualTo("04 Jul 2024");
  }

  @Test
  void renderingsDoNotShareState() {
    ChatTemplate template =
        ChatTemplate.parse("{{ y is defined }}{% set y = x %}{{ y }}{{ x | length }}", "t");
    assertThat(template.render(Map.of("x", "a"))).isEqualTo("Falsea1");
    assertThat(template.render(Map.of("x", "bc"))).isEqualTo("Falsebc2");
  }
}
