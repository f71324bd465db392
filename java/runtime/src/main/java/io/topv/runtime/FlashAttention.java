package io.topv.runtime;

import static io.topv.flashattention.global.flash_attn.*;

import io.topv.flashattention.flash_attn_context;
import io.topv.flashattention.flash_attn_varlen_params;
import org.bytedeco.javacpp.Pointer;

/** A provider of the FlashAttention preset, in place of a context's own attention. */
final class FlashAttention implements AutoCloseable {
  private final Context context;
  private final flash_attn_context handle = new flash_attn_context();
  private final flash_attn_varlen_params params = new flash_attn_varlen_params();

  /** Provider "topv" is the library that the context itself has loaded. */
  FlashAttention(Context context, String provider) {
    this.context = context;
    ContextOptions options = context.options();
    String library = provider.equals("topv") ? NativeLibrary.file(options.backend()) : null;
    check(flash_attn_open(provider, library, options.device(), handle));
    Pointer.memset(params, 0, params.sizeof());
    params.window_left(-1).window_right(-1);
  }

  void run(Attention shape, Attention.Queries queries, Attention.Keys keys, Tensor out) {
    Tensor q = queries.q();
    params.q(q.pointer()).q_row_stride(q.stride()).out(out.pointer()).o_row_stride(out.stride());
    params.cu_seqlens_q(queries.cuSeqlens().pointer()).batch(queries.batch());
    params.total_q((int) q.rows());
    params.max_seqlen_q(queries.maxQuery()).max_seqlen_k(queries.maxKey());
    params.heads(shape.qHeads()).heads_k(shape.kvHeads()).head_dim(shape.headDim());
    params.causal(shape.causal() ? 1 : 0).softmax_scale(shape.scale()).dtype(q.dtype().code());
    if (keys instanceof Attention.Contiguous rows) {
      params.k(rows.k().pointer()).k_row_stride(rows.k().stride());
      params.v(rows.v().pointer()).v_row_stride(rows.v().stride()).total_k((int) rows.k().rows());
      params.cu_seqlens_k(rows.cuSeqlens().pointer()).seqused_k(null).block_table(null);
      params.page_size(0).max_blocks(0).blocks(0);
    } else if (keys instanceof Attention.Paged pages) {
      params.k(pages.k().pointer()).v(pages.v().pointer()).k_row_stride(0).v_row_stride(0);
      params.cu_seqlens_k(null).seqused_k(pages.seqlens().pointer()).total_k(0);
      params.block_table(pages.blockTable().pointer()).page_size(pages.pageSize());
      params.max_blocks((int) pages.blockTable().cols());
      params.blocks((int) (pages.k().rows() / pages.pageSize()));
    }
    check(flash_attn_varlen_fwd(handle, context.nativeStream(), params));
  }

  void synchronize() {
    check(flash_attn_synchronize(handle, context.nativeStream()));
  }

  @Override
  public void close() {
    params.close();
    flash_attn_close(handle);
  }

  private static void check(int status) {
    if (status == FLASH_ATTN_OK) {
      return;
    }
    String words = flash_attn_error_message().getString();
    throw switch (status) {
      case FLASH_ATTN_INVALID_ARGUMENT -> new NativeException(Status.INVALID_ARGUMENT, words);
      case FLASH_ATTN_UNSUPPORTED, FLASH_ATTN_LIBRARY_NOT_FOUND ->
          new NativeException(Status.UNSUPPORTED, words);
      case FLASH_ATTN_OUT_OF_MEMORY -> new NativeException(Status.OUT_OF_MEMORY, words);
      default -> new NativeException(Status.BACKEND_ERROR, words);
    };
  }
}
