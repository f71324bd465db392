package io.topv.flashattention.samples;

import static io.topv.flashattention.global.flash_attn.*;

import io.topv.flashattention.flash_attn_context;
import io.topv.flashattention.flash_attn_varlen_params;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Causal attention of two sequences, 3 and 5 tokens long, in one call. Arguments: the provider,
 * "topv" where there is none.
 */
public final class PackedAttention {
  private static final int TOKENS = 8, HEADS = 4, KV_HEADS = 2, HEAD_DIM = 64;

  private PackedAttention() {}

  public static void main(String[] arguments) {
    String provider = arguments.length > 0 ? arguments[0] : "topv";
    flash_attn_context context = new flash_attn_context();
    check(flash_attn_open(provider, (String) null, 0, context));
    System.out.println(
        flash_attn_provider(context).getString() + ": " + flash_attn_library(context).getString());

    try (flash_attn_varlen_params params = new flash_attn_varlen_params()) {
      Pointer.memset(params, 0, params.sizeof()); // 0 = the default of every optional field
      params.q(upload(context, waves(TOKENS * HEADS * HEAD_DIM, 0.1f)));
      params.k(upload(context, waves(TOKENS * KV_HEADS * HEAD_DIM, 0.2f)));
      params.v(upload(context, waves(TOKENS * KV_HEADS * HEAD_DIM, 0.3f)));
      params.out(malloc(context, 4L * TOKENS * HEADS * HEAD_DIM));
      params.softmax_lse(malloc(context, 4L * TOKENS * HEADS));
      Pointer offsets = upload(context, 0, 3, 8);
      params.cu_seqlens_q(offsets).cu_seqlens_k(offsets);
      params.batch(2).total_q(TOKENS).total_k(TOKENS).max_seqlen_q(5).max_seqlen_k(5);
      params.heads(HEADS).heads_k(KV_HEADS).head_dim(HEAD_DIM).dtype(FLASH_ATTN_F32);
      params.causal(1).window_left(-1).window_right(-1);

      check(flash_attn_varlen_fwd(context, null, params)); // queued on the default stream

      float[] out = new float[TOKENS * HEADS * HEAD_DIM];
      try (FloatPointer host = new FloatPointer(out.length)) {
        check(flash_attn_download(context, null, host, params.out(), 4L * out.length)); // waits
        host.get(out);
      }
      for (int token = 0; token < TOKENS; token++) {
        System.out.printf("token %d, head 0: %9.6f ..%n", token, out[token * HEADS * HEAD_DIM]);
      }
      for (Pointer memory :
          new Pointer[] {params.q(), params.k(), params.v(), params.out(), params.softmax_lse()}) {
        check(flash_attn_free(context, memory));
      }
      check(flash_attn_free(context, offsets));
    } finally {
      flash_attn_close(context);
    }
  }

  /** Every function returns a status; the words are in flash_attn_error_message(). */
  private static void check(int status) {
    if (status != FLASH_ATTN_OK) {
      throw new IllegalStateException(flash_attn_error_message().getString());
    }
  }

  private static float[] waves(int count, float step) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) Math.sin(i * step);
    }
    return values;
  }

  private static Pointer malloc(flash_attn_context context, long bytes) {
    Pointer memory = new Pointer();
    check(flash_attn_malloc(context, bytes, memory));
    return memory;
  }

  private static Pointer upload(flash_attn_context context, float... values) {
    Pointer memory = malloc(context, 4L * values.length);
    try (FloatPointer host = new FloatPointer(values)) {
      check(flash_attn_upload(context, null, memory, host, 4L * values.length));
    }
    return memory;
  }

  private static Pointer upload(flash_attn_context context, int... values) {
    Pointer memory = malloc(context, 4L * values.length);
    try (IntPointer host = new IntPointer(values)) {
      check(flash_attn_upload(context, null, memory, host, 4L * values.length));
    }
    return memory;
  }
}
