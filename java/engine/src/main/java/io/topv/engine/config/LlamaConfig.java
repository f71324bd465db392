package io.topv.engine.config;

import io.topv.runtime.DType;
import java.util.Optional;

/** A text-only model: LlamaForCausalLM, or MistralForCausalLM without a sliding window. */
public record LlamaConfig(TextConfig text, Optional<DType> dtype) implements ModelConfig {}
