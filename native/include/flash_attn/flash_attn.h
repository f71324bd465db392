/*
 * flash_attn.h - FlashAttention's forward functions as a C interface, over interchangeable providers. JavaCPP reads this.
 *
 * The functions, their layouts and their arguments are those of flash_attn_varlen_func and flash_attn_with_kvcache of
 * FlashAttention 2. Who computes is chosen by name when a context is opened:
 *   "topv"   the kernels of topv: libtopv_cuda.so
 *   "torch"  the FlashAttention kernels inside an installed PyTorch: libtorch_cuda.so, 2.9 or newer
 *   "cudnn"  the attention of cuDNN that an installed PyTorch brings: dense batches alone, to compare with
 *
 * Conventions
 *   Shapes   row-major, the last dimension contiguous. Strides are in ELEMENTS; 0 = dense.
 *   Memory   pointers are memory of the context's device, unless marked [host]. The library keeps none of them.
 *   Streams  work is queued on the stream given (NULL: the default stream) and the functions return at once.
 *   Heads    heads is a multiple of heads_k: query head h reads KV head h / (heads / heads_k).
 *   Masks    the last query is aligned with the last key: query i of lq stands at position i + lk - lq of lk keys.
 *   Errors   a status; the text is in flash_attn_error_message(). Nothing is queued where a call is refused. What lies in
 *            device memory (lengths, page numbers) is checked by some providers, and reported by flash_attn_synchronize.
 *   Threads  a context may be used by one thread at a time.
 */
/* clang-format off */
#ifndef FLASH_ATTN_H
#define FLASH_ATTN_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define FLASH_ATTN_API __attribute__((visibility("default")))
#else
#define FLASH_ATTN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum flash_attn_status {
  FLASH_ATTN_OK = 0,
  FLASH_ATTN_INVALID_ARGUMENT = 1,
  FLASH_ATTN_UNSUPPORTED = 2,       /* legal, but this provider or device cannot do it */
  FLASH_ATTN_OUT_OF_MEMORY = 3,
  FLASH_ATTN_LIBRARY_NOT_FOUND = 4, /* the provider's library; the message tells where it was looked for */
  FLASH_ATTN_PROVIDER_ERROR = 5     /* the provider or the driver failed; the message has its words */
} flash_attn_status;

typedef enum flash_attn_dtype { FLASH_ATTN_F32 = 0, FLASH_ATTN_F16 = 1, FLASH_ATTN_BF16 = 2 } flash_attn_dtype;

typedef struct flash_attn_context flash_attn_context; /* one provider on one device */
struct CUstream_st;                                   /* cudaStream_t, CUstream */

/* Version of this library, "major.minor.patch". Never NULL. */
FLASH_ATTN_API const char* flash_attn_version(void);

/* Message of the last failed call on the calling thread, "" when none. It lives until the next call on the thread. */
FLASH_ATTN_API const char* flash_attn_error_message(void);

/* Opens a provider: "topv" or "torch". library [host] is the file to load, with its path; NULL = what the environment
 * variable FLASH_ATTN_TOPV_LIBRARY or FLASH_ATTN_TORCH_LIBRARY names, else the file beside this library, else the
 * loader's path. device is the ordinal. *out is NULL on failure. */
FLASH_ATTN_API flash_attn_status flash_attn_open(const char* provider, const char* library, int32_t device,
                                                 flash_attn_context** out);
/* NULL is allowed. Waits for the streams it was given. */
FLASH_ATTN_API void flash_attn_close(flash_attn_context* context);

/* The name of the provider, and the library that it loaded. [host] They live as long as the context. */
FLASH_ATTN_API const char* flash_attn_provider(const flash_attn_context* context);
FLASH_ATTN_API const char* flash_attn_library(const flash_attn_context* context);

/* Attention of sequences of any lengths, packed: flash_attn_varlen_func. */
typedef struct flash_attn_varlen_params {
  const void* q;               /* [total_q, heads, head_dim] */
  const void* k;               /* [total_k, heads_k, head_dim]; paged: [blocks, page_size, heads_k, head_dim] */
  const void* v;               /* as k */
  void* out;                   /* [total_q, heads, head_dim] */
  float* softmax_lse;          /* nullable, [heads, total_q]: log-sum-exp of the scaled scores */
  const int32_t* cu_seqlens_q; /* [batch + 1], ascending from 0 to total_q */
  const int32_t* cu_seqlens_k; /* [batch + 1], ascending from 0 to total_k; paged: NULL */
  const int32_t* seqused_k;    /* paged: [batch], keys of each sequence; else NULL */
  const int32_t* block_table;  /* paged: [batch, max_blocks], pages of each sequence; else NULL */
  int64_t q_row_stride, k_row_stride, v_row_stride, o_row_stride; /* token to token; k and v: not when paged */
  int32_t batch, total_q, total_k, max_seqlen_q, max_seqlen_k;
  int32_t heads, heads_k, head_dim;      /* head_dim a multiple of 8, at most 256 */
  int32_t page_size, blocks, max_blocks; /* paged only */
  int32_t dtype;                         /* flash_attn_dtype of q, k, v and out */
  int32_t causal;                        /* 0 or 1: a query sees no key after its own position */
  int32_t window_left, window_right;     /* keys seen before and after the own position; -1 = all. causal: right = 0 */
  float softmax_scale;                   /* of the scores; 0 = 1 / sqrt(head_dim) */
  float softcap;                         /* > 0: scores s become softcap * tanh(s / softcap); 0 = none */
} flash_attn_varlen_params;

FLASH_ATTN_API flash_attn_status flash_attn_varlen_fwd(flash_attn_context* context, struct CUstream_st* stream,
                                                       const flash_attn_varlen_params* params);

/* Attention of a few new queries per sequence over a cache, which the new keys and values join first:
 * flash_attn_with_kvcache. */
typedef struct flash_attn_kvcache_params {
  const void* q;                  /* [batch, seqlen_q, heads, head_dim] */
  void* k_cache;                  /* [cache_batch, seqlen_cache, heads_k, head_dim];
                                     paged: [blocks, page_size, heads_k, head_dim] */
  void* v_cache;                  /* as k_cache */
  const void* k;                  /* nullable, [batch, seqlen_new, heads_k, head_dim]: appended at cache_seqlens */
  const void* v;                  /* as k */
  void* out;                      /* [batch, seqlen_q, heads, head_dim] */
  float* softmax_lse;             /* nullable, [batch, heads, seqlen_q] */
  const int32_t* cache_seqlens;   /* [batch]: keys in the cache before this call */
  const int32_t* cache_batch_idx; /* nullable, [batch]: sequence b lies at this index of the cache; not paged */
  const int32_t* block_table;     /* paged: [batch, max_blocks]; else NULL */
  const void* rotary_cos;         /* nullable, [rotary_seqlen, rotary_dim / 2], dtype: q and k are rotated first */
  const void* rotary_sin;         /* as rotary_cos */
  int32_t batch, seqlen_q, seqlen_new;
  int32_t cache_batch, seqlen_cache;     /* not paged */
  int32_t page_size, blocks, max_blocks; /* paged only */
  int32_t heads, heads_k, head_dim;
  int32_t rotary_dim, rotary_seqlen;     /* rotary_dim: even, at most head_dim */
  int32_t rotary_interleaved;            /* 1: pairs (0, 1), (2, 3), ..; 0: halves (0, d / 2), .. as GPT-NeoX */
  int32_t dtype;                         /* of all but the int32 and float arrays */
  int32_t causal, window_left, window_right;
  float softmax_scale, softcap;
} flash_attn_kvcache_params;

/* Key i of k stands at position cache_seqlens[b] + i. With causal or a window, so does query i; without, all queries stand
 * at cache_seqlens[b]. */
FLASH_ATTN_API flash_attn_status flash_attn_with_kvcache(flash_attn_context* context, struct CUstream_st* stream,
                                                         const flash_attn_kvcache_params* params);

/* Waits for the stream. Fails where something was found wrong since the last call. */
FLASH_ATTN_API flash_attn_status flash_attn_synchronize(flash_attn_context* context, struct CUstream_st* stream);

/* Device memory, for callers that have no other way to it. */
FLASH_ATTN_API flash_attn_status flash_attn_malloc(flash_attn_context* context, int64_t bytes, void** out);
FLASH_ATTN_API flash_attn_status flash_attn_free(flash_attn_context* context, void* memory);
/* Ordered on the stream; host memory may be reused on return. */
FLASH_ATTN_API flash_attn_status flash_attn_upload(flash_attn_context* context, struct CUstream_st* stream,
                                                   void* device, const void* host, int64_t bytes);
FLASH_ATTN_API flash_attn_status flash_attn_download(flash_attn_context* context, struct CUstream_st* stream,
                                                     void* host, const void* device, int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif /* FLASH_ATTN_H */
