package io.topv.engine;

import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import io.topv.engine.model.ImageFeatures;
import io.topv.engine.prune.VisualSpan;
import io.topv.engine.template.ChatContext;
import io.topv.engine.template.ChatMessage;
import io.topv.engine.template.ChatTemplate;
import io.topv.engine.template.ChatTemplates;
import io.topv.engine.tokenizer.ImagePlaceholders;
import io.topv.engine.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Turns a request's text into token ids with room for the visual tokens. */
final class PromptBuilder {

  /** Token ids and where the images are among them. */
  record Prompt(int[] ids, List<VisualSpan> spans) {}

  private final Path modelDir;
  private final ModelConfig config;
  private final Tokenizer tokenizer;
  private Optional<ChatTemplate> template = Optional.empty();

  PromptBuilder(Path modelDir, ModelConfig config, Tokenizer tokenizer) {
    this.modelDir = modelDir;
    this.config = config;
    this.tokenizer = tokenizer;
  }

  Prompt build(Request request, List<ImageFeatures> images) {
    int[] ids = tokenizer.encodePrompt(request.raw() ? request.prompt() : chat(request));
    if (!(config instanceof LlavaConfig llava)) {
      return new Prompt(ids, List.of());
    }
    int[] counts = images.stream().mapToInt(ImageFeatures::count).toArray();
    ImagePlaceholders.Expanded expanded =
        ImagePlaceholders.expand(ids, llava.imageTokenIndex(), imageToken(llava), counts);
    List<VisualSpan> spans = new ArrayList<>();
    for (int i = 0; i < images.size(); i++) {
      ImageFeatures image = images.get(i);
      spans.add(new VisualSpan(expanded.spans().get(i).start(), image.width(), image.height()));
    }
    return new Prompt(expanded.ids(), spans);
  }

  private String chat(Request request) {
    if (template.isEmpty()) {
      template = Optional.of(ChatTemplates.load(modelDir));
    }
    String image = config instanceof LlavaConfig llava ? imageToken(llava) : "<image>";
    return template
        .get()
        .render(
            List.of(ChatMessage.user(request.prompt(), request.images().size())),
            ChatContext.forAnswer(tokenizer.specialTokens().byName(), image));
  }

  private String imageToken(LlavaConfig llava) {
    return tokenizer.tokenOf(llava.imageTokenIndex());
  }
}
