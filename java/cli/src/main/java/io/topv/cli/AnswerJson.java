package io.topv.cli;

import io.topv.engine.Answer;
import io.topv.engine.sample.TokenLogprobs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** An answer as the one JSON object that {@code --output json} prints. */
final class AnswerJson {
  private static final JsonMapper JSON = new JsonMapper();

  private AnswerJson() {}

  static String of(Answer answer) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("text", answer.text());
    out.put("token_ids", answer.tokenIds());
    out.put("prompt_tokens", answer.promptTokens());
    out.put("finish_reason", answer.finishReason().name().toLowerCase(Locale.ROOT));
    out.put("images", answer.images().stream().map(AnswerJson::image).toList());
    out.put("timings_ms", timings(answer));
    if (!answer.logprobs().isEmpty()) {
      out.put("logprobs", answer.logprobs().stream().map(AnswerJson::logprobs).toList());
    }
    return JSON.writeValueAsString(out);
  }

  private static Map<String, Object> image(Answer.ImageReport image) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("visual_tokens", image.visualTokens());
    out.put("grid", new int[] {image.width(), image.height()});
    out.put("kept", image.kept());
    out.put("method", image.method());
    out.put("not_applied", image.notApplied().orElse(null));
    return out;
  }

  private static Map<String, Object> timings(Answer answer) {
    Answer.Timings t = answer.timings();
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("image", round(t.image()));
    out.put("vision", round(t.vision()));
    out.put("prefill", round(t.prefill()));
    out.put("selection", round(t.selection()));
    out.put("decode", round(t.decode()));
    out.put("time_to_first_token", round(t.timeToFirstToken()));
    out.put("total", round(t.total()));
    return out;
  }

  private static double round(double millis) {
    return Math.round(millis * 1e3) / 1e3;
  }

  private static Map<String, Object> logprobs(TokenLogprobs at) {
    List<Map<String, Object>> top = new ArrayList<>();
    at.top().forEach(c -> top.add(Map.of("token_id", c.token(), "logprob", c.logprob())));
    return Map.of("token_id", at.token(), "logprob", at.logprob(), "top", top);
  }
}
