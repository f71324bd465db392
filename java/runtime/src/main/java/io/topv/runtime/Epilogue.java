package io.topv.runtime;

import java.util.Optional;

/**
 * What a gemm does with its product: {@code c = activation(product + bias) + (accumulate ? c : 0)}.
 *
 * @param bias F32 [n]
 */
public record Epilogue(Optional<Tensor> bias, Activation activation, boolean accumulate) {
  public static final Epilogue NONE = new Epilogue(Optional.empty(), Activation.NONE, false);

  /** Adds the product to what the output holds: a residual connection. */
  public static final Epilogue ACCUMULATE = new Epilogue(Optional.empty(), Activation.NONE, true);

  public static Epilogue bias(Optional<Tensor> bias) {
    return new Epilogue(bias, Activation.NONE, false);
  }

  public Epilogue with(Activation then) {
    return new Epilogue(bias, then, accumulate);
  }

  public Epilogue accumulating() {
    return new Epilogue(bias, activation, true);
  }
}
